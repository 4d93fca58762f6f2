"""Opening a department's database with its own limits, and telling its failures apart by code, never by text."""

import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, ProgrammingError

from connectors.postgresql_wait import connect_within
from connectors.route import Place
from connectors.secret_files import Secret
from connectors.trouble import DepartmentError, garbled
from policies.vocabulary import Outcome

_KNOWN: Final = frozenset({"sqlite", "postgresql", "mysql", "mariadb"})
_LARGEST_ROW: Final = 1 << 20
"""Bytes of an SQLite row: as much as we would read of an answer over HTTP."""
_STEPS_BETWEEN_LOOKS: Final = 10_000
"""SQLite looks at its time limit every so many of its own instructions: about a millisecond."""

_STATES: Final[Mapping[str, Outcome]] = {
    "57014": Outcome.TIMEOUT,  # PostgreSQL: query_canceled, by statement_timeout
    "55P03": Outcome.TIMEOUT,  # PostgreSQL: lock_not_available
    "28P01": Outcome.AUTH_FAILED,
    "28000": Outcome.AUTH_FAILED,
    "42501": Outcome.DENIED_BY_DEPARTMENT,
    "ConnectionTimeout": Outcome.TIMEOUT,  # psycopg, before there is a connection
    "42703": Outcome.GARBLED,  # PostgreSQL: undefined_column, their view has changed
    "53300": Outcome.QUOTA,  # PostgreSQL: too_many_connections
    "1040": Outcome.QUOTA,
    "1054": Outcome.GARBLED,
    "1203": Outcome.QUOTA,
    "1226": Outcome.QUOTA,
    "1045": Outcome.AUTH_FAILED,  # MariaDB and MySQL from here
    "1142": Outcome.DENIED_BY_DEPARTMENT,
    "1143": Outcome.DENIED_BY_DEPARTMENT,
    "1205": Outcome.TIMEOUT,
    "1969": Outcome.TIMEOUT,
    "3024": Outcome.TIMEOUT,
}
_SQLITE_WAITED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT})


@dataclass(frozen=True, slots=True)
class Access:
    """How one route uses a database."""

    connections: int
    seconds: float
    read_only: bool


def check_url(written: str, place: Place) -> None:
    """Raise ConfigurationError unless it is the URL of a database we can speak to, without a password in it."""
    try:
        url = make_url(written)
    except ArgumentError:
        raise place.error("this is no database URL") from None
    if url.get_backend_name() not in _KNOWN:
        raise place.error(f"databases of kind {url.get_backend_name()!r} are not known here")
    if url.password is not None or "password" in url.query:
        raise place.error("a password stands in a file of the secrets folder, not here")
    if url.get_backend_name() == "sqlite" and not (url.database or "").startswith("/"):
        raise place.error("an SQLite database is named by its absolute path: sqlite:////...")


def open_engine(written: str, password: Secret | None, access: Access) -> sqlalchemy.Engine:
    """Return an engine that connects when first used. Bound values never appear in its errors."""
    url = make_url(written)
    if url.get_backend_name() == "sqlite":
        # no pool: a nightly batch may swap the file under its name, and a kept handle would read the old one for ever
        return sqlalchemy.create_engine(
            "sqlite://", creator=_sqlite(url, access), poolclass=sqlalchemy.NullPool, hide_parameters=True
        )
    engine = sqlalchemy.create_engine(
        url.set(password=password.text) if password else url,
        pool_size=access.connections,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=_patience(url, access),
    )
    if url.get_backend_name() == "postgresql":
        sqlalchemy.event.listen(
            engine, "do_connect", lambda _dialect, _record, args, named: connect_within(access.seconds, args, named)
        )
    sqlalchemy.event.listen(engine, "connect", _session_limits(url, access))
    return engine


def trouble_of(error: DBAPIError) -> DepartmentError:
    """Return what a database's failure means. Its text may quote rows, so only its code is kept."""
    code = _code(error.orig)
    if code in _STATES:
        return DepartmentError(_STATES[code], code)
    if isinstance(error.orig, sqlite3.Error) and getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_WAITED:
        return DepartmentError(Outcome.TIMEOUT, code)
    if isinstance(error, (OperationalError, InterfaceError, ProgrammingError)):
        return DepartmentError(Outcome.DEPARTMENT_DOWN, code)
    return garbled(code)


def _code(original: BaseException | None) -> str:
    first = original.args[0] if original is not None and original.args else None
    if isinstance(first, int):  # MariaDB's own number; its SQLSTATE says less
        return str(first)
    for attribute in ("sqlite_errorname", "sqlstate"):
        code = getattr(original, attribute, None)
        if isinstance(code, str):
            return code
    return type(original).__name__


def _sqlite(url: URL, access: Access) -> Callable[[], sqlite3.Connection]:
    target = f"file:{quote(url.database or '')}?mode={'ro' if access.read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(target, uri=True, timeout=access.seconds, check_same_thread=False)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_ROW)
        try:
            # the department's log of calls survives our crash; against power loss it is not ours to pay at every call
            connection.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error:
            connection.close()  # the engine never saw it
            raise
        end = time.monotonic() + access.seconds
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)
        return connection

    return connect


def _patience(url: URL, access: Access) -> dict[str, int]:
    """How long the client itself waits: the server's own limits help nothing where the network is silent."""
    seconds = math.ceil(access.seconds)
    if url.get_backend_name() == "postgresql":
        return {"connect_timeout": max(2, seconds)}  # libpq takes one second for two
    return {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}


def _session_limits(url: URL, access: Access) -> Callable[[Any, Any], None]:
    milliseconds = int(access.seconds * 1000)
    if url.get_backend_name() == "postgresql":
        statements = [f"SET statement_timeout = {milliseconds}", f"SET lock_timeout = {milliseconds}"]
        read_only = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    else:
        # MariaDB reads the comment and its limit in seconds, MySQL the other one in milliseconds
        statements = [
            f"SET SESSION innodb_lock_wait_timeout = {max(1, milliseconds // 1000)}",
            f"/*M! SET SESSION max_statement_time = {access.seconds} */",
            f"SET @unused = 0 /*!50708 , SESSION max_execution_time = {milliseconds} */",
        ]
        read_only = "SET SESSION TRANSACTION READ ONLY"
    if access.read_only:
        statements.append(read_only)

    def limit(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return limit
