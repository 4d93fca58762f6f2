"""Database servers, where the tests would find them too; what is absent is said."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.mariadb import mariadb_database
from tests.postgresql import server


@contextmanager
def servers(tell: Callable[[str], None]) -> Iterator[Mapping[str, str]]:
    """By kind, the URL of a new database that is gone afterwards; without those that cannot be had here."""
    found: dict[str, str] = {}
    with ExitStack() as stack:
        for kind, database in (("sql, PostgreSQL", _on_postgresql), ("sql, MariaDB", mariadb_database)):
            try:
                found[kind] = stack.enter_context(database())
            except pytest.skip.Exception as absent:
                tell(f"[yellow]NOT MEASURED {kind}[/yellow]: {absent}")
        yield found


def without_password(url: str, secrets: Path, name: str) -> tuple[str, dict[str, str]]:
    """The URL as a route names it, and the route's member that says where the password is, if there is one."""
    parts = make_url(url)
    if parts.password is None:
        return url, {}
    file = secrets / name
    file.touch(mode=0o600)
    file.write_text(str(parts.password), encoding="utf-8")
    return parts.set(password=None).render_as_string(), {"secret": name}


@contextmanager
def on_postgresql(count: int) -> Iterator[Sequence[str]]:
    """The URLs of so many new databases on one server. Skips, as a test would, where there is none."""
    with ExitStack() as stack:
        found = stack.enter_context(server())
        urls = [stack.enter_context(found.database()) for _ in range(count)]
        named = [make_url(url).set(drivername="postgresql+psycopg") for url in urls]
        yield [url.render_as_string(hide_password=False) for url in named]


@contextmanager
def _on_postgresql() -> Iterator[str]:
    with on_postgresql(1) as (url,):
        yield url
