"""The setting `database:`: an SQLite file's name, or a PostgreSQL address that holds no password."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from broker.loopback import is_loopback
from policies.strict_yaml import ConfigurationError

Refused = Callable[[str], ConfigurationError]
"""Makes the error that names the setting's file and line."""

_DRIVERS: Final = frozenset({"postgresql", "postgresql+psycopg"})
_PARAMETERS: Final = frozenset({"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs"})
"""libpq's words that may stand behind the `?`; what decides about safety is set by the program itself."""


@dataclass(frozen=True, slots=True)
class PostgresqlAddress:
    """Where the server is and as whom to call it. A password comes from a file of ours, or from libpq's PGPASSFILE."""

    url: URL
    password_file: Path | None
    refused: Refused = field(repr=False, compare=False)

    def doubts(self) -> list[str]:
        """What an operator should know of the way to the server."""
        hosts = self.url.query.get("host", ())
        named = [self.url.host or "", *([hosts] if isinstance(hosts, str) else hosts)]
        if all(map(_is_near, named)) or self.url.query.get("sslmode") in ("verify-full", "verify-ca"):
            return []
        return ["database: another machine without sslmode=verify-full: whoever sits between can read and answer"]


def _is_near(host: str) -> bool:
    """A socket's folder, or this machine."""
    return host == "" or host.startswith("/") or is_loopback(host) or is_loopback(host.rpartition(":")[0])


def read_address(written: str, password_file: Path | None, refused: Refused) -> PostgresqlAddress | None:
    """The PostgreSQL address; None where the setting names a file. Raises ConfigurationError."""
    if "://" not in written:
        if password_file is not None:
            raise refused("database_secret: an SQLite file has no password")
        return None
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
        raise refused("database: not an address such as postgresql://broker@host/consent") from None
    if url.drivername not in _DRIVERS:
        raise refused("database: only a file's name or postgresql://user@host/name")
    if url.password is not None:
        raise refused("database: a password never stands here; name its file in database_secret, or use PGPASSFILE")
    if not url.username or not url.database:
        raise refused("database: the address names a user and a database")
    if unknown := sorted(url.query.keys() - _PARAMETERS):
        raise refused(f"database: {unknown[0]!r} may not stand in the address")
    return PostgresqlAddress(url.set(drivername="postgresql+psycopg"), password_file, refused)
