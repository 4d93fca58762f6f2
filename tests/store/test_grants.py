"""The role that serves: it does all that a broker does, and cannot change what was logged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import aiohttp
import psycopg
import pytest

from broker.schema import MIGRATIONS
from broker.settings import read_settings
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.faults.serving import Folder, found, grant, pull_members, signed_in
from tests.postgresql import Server, plain

GRANTS = MIGRATIONS / "postgresql_grants.sql"


@pytest.fixture
def serving(postgresql: Server) -> Iterator[str]:
    role = f"broker_serving_{uuid4().hex}"
    postgresql.execute(f"CREATE ROLE {role} LOGIN")
    yield role
    postgresql.execute(f"DROP ROLE {role}")


def read_grants(role: str) -> str:
    """The file as psql reads it, without psql."""
    lines = GRANTS.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("\\")).replace(':"serving"', role)


def as_role(folder: Folder, owner: str, url: str) -> Folder:
    text = folder.config.read_text(encoding="utf-8")
    assert owner in text
    folder.config.write_text(text.replace(owner, url), encoding="utf-8")
    return replace(folder, settings=read_settings(folder.config))


async def test_a_broker_serves_without_owning_anything(
    tmp_path: Path, fleet: Fleet, postgresql: Server, postgresql_url: str, serving: str
) -> None:
    founded = found(tmp_path, fleet, postgresql_url)
    url = postgresql.url_of(postgresql_url.partition("@/")[2].partition("?")[0], serving)
    postgresql.execute(read_grants(serving), url=postgresql_url)
    folder = as_role(founded, postgresql_url, url)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        centre, process = folder.centre(http), folder.start()
        phone = await signed_in(folder.settings.issuer, XU)
        try:
            consent = await grant(centre, phone)
            reply = await centre.exchange(**pull_members("insert-only", consent))
            assert reply.status == 200, reply.members
            folder.receipts.append(reply.members["receipt"])
        finally:
            await phone.http.close()
            process.end()
    folder.check()
    with psycopg.connect(plain(url), autocommit=True) as connection:
        for table in ("audit_entry", "audit_tile", "alembic_version"):
            for change in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"DROP TABLE {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(change.encode())
        for change in ("UPDATE audit_entry SET idx = 0", "DELETE FROM audit_head"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(change.encode())
    postgresql.execute(f"DROP OWNED BY {serving}", url=postgresql_url)
