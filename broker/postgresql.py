"""PostgreSQL as the store: several processes on several machines, ordered by the log's head row.

A writer locks the head before anything else (audit/batch.py), under READ COMMITTED, so the next one sees all that the
one before it wrote. What keeps an acknowledged commit:

 settings   each turn sets synchronous_commit and reads fsync and full_page_writes in the same statement; off is refused
 answer     a COMMIT that is not answered, whatever the reason, is reported as unavailable and never tried again
 standby    no statement_timeout for writers, and a warning is a failure: while a COMMIT waits for its synchronous
            standby, a cancelled statement is answered as done, with nothing but a warning
 stuck      a server that does not answer for ANSWER_SECONDS has its connection closed; a writer that holds the head and
            does nothing is ended by the server
 reconnect  writers never reconnect by themselves: the ledger looks at the anchor first, for the server that answers now
            may be another one
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from audit.errors import LedgerUnavailable
from broker.database_setting import PostgresqlAddress
from broker.processes import SessionLock
from broker.safety import Safety
from broker.secret_files import read_secret
from policies.strict_yaml import ConfigurationError

T = TypeVar("T")

OLDEST_SERVER: Final = 14
CONNECT_SECONDS: Final = 2
LOCK_SECONDS: Final = 2
ANSWER_SECONDS: Final = 2.5
"""Longer than a lock's wait, so that the server says itself what it waited for."""
READ_SECONDS: Final = 5.0
LONG_SECONDS: Final = 24 * 3600.0

_EVERY_SESSION: Final = {
    "idle_session_timeout": "0",
    # A machine that lost its power holds no lock for longer than this lets it
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_WRITER: Final = {
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "lock_timeout": f"{LOCK_SECONDS}s",
    "idle_in_transaction_session_timeout": "5s",
}
_READER: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": f"{READ_SECONDS:g}s",
    "idle_in_transaction_session_timeout": "60s",
}
_SAFE: Final = ("synchronous_commit", "fsync", "full_page_writes")
_MAKE_SAFE: Final = (
    "SELECT set_config('synchronous_commit', 'on', true), current_setting('fsync'), current_setting('full_page_writes')"
)


class TimedConnection(psycopg.Connection[Any]):
    """A connection whose server has to answer in time; else it is closed, and what was asked is of unknown outcome."""

    answer_within: float = ANSWER_SECONDS

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, self.answer_within if timeout is None else timeout)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 - psycopg asks its callers to convert this one
            self.close()
            raise psycopg.OperationalError(f"no answer from the server within {self.answer_within:g} s") from error


class PostgresqlDatabase:
    """Owns the pools of connections to one database."""

    def __init__(self, address: PostgresqlAddress) -> None:
        """Raises ConfigurationError where the server is unsafe or too old, LedgerUnavailable where it cannot be had."""
        self._address = address
        long = _WRITER | {"idle_in_transaction_session_timeout": "0"}
        self._writer = _engine(address, _WRITER, ANSWER_SECONDS, poolclass=QueuePool, pool_size=2, max_overflow=0)
        self._long = _engine(address, long, LONG_SECONDS, poolclass=NullPool)
        self._single = _engine(address, _WRITER, ANSWER_SECONDS, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self.reader = _engine(
            _for_readers(address),
            _READER,
            READ_SECONDS + 1,
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=0,
            pool_timeout=READ_SECONDS,
            pool_pre_ping=True,
        )
        try:
            with self.turn() as connection:
                _check_server(connection, address)
        except ConfigurationError:
            self.close()
            raise
        except DBAPIError as error:
            self.close()
            raise LedgerUnavailable(str(error.orig).partition("\n")[0]) from error

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """A write transaction that is durable when the block has been left."""
        with self._begin(self._writer) as connection:
            yield connection

    @contextmanager
    def long_turn(self) -> Iterator[Connection]:
        """A turn whose statements may take their time. One at a time: whoever comes second waits."""
        with self._begin(self._long) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('consent-broker migration'))")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All as of its first read, for as long as that takes. Writers go on; only VACUUM has to wait."""
        frozen = self._long.execution_options(isolation_level="REPEATABLE READ")
        with frozen.begin() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield connection

    def process_lock(self) -> SessionLock:
        return SessionLock(self._single)

    def safety(self) -> Safety:
        with self.reader.begin() as connection:
            version = _setting(connection, "server_version")
            standbys = _setting(connection, "synchronous_standby_names")
            collation = connection.exec_driver_sql(_COLLATION).scalar_one()
        held = dict.fromkeys(_SAFE, "on") | {"synchronous_standby_names": standbys}
        return Safety(f"PostgreSQL {version}", held, (*self._address.doubts(), *_collation_doubts(collation)))

    def sweep(self) -> None:
        """Nothing here: dead rows stay until the server's own VACUUM, as the README says."""

    def reopen(self) -> None:
        """Let go of the writer's connections; the next turn opens new ones. Readers look at theirs before each use."""
        self._writer.dispose()

    def close(self) -> None:
        self._writer.dispose()
        self.reader.dispose()

    @contextmanager
    def _begin(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect() as connection:
            warnings: list[str] = connection.info["warnings"]
            warnings.clear()
            with connection.begin():
                self._make_safe(connection)
                yield connection
            if warnings:
                raise LedgerUnavailable(f"the commit is in doubt: {warnings[0]}")

    def _make_safe(self, connection: Connection) -> None:
        found = dict(zip(_SAFE, connection.exec_driver_sql(_MAKE_SAFE).one(), strict=True))
        for name, value in found.items():
            if value != "on":
                raise self._address.refused(f"database: the server says {name}={value}, not on: unsafe")


_COLLATION: Final = "SELECT datcollate FROM pg_database WHERE datname = current_database()"


def _engine(address: PostgresqlAddress, settings: Mapping[str, str], seconds: float, **options: Any) -> Engine:
    options.setdefault("isolation_level", "READ COMMITTED")
    engine = create_engine(address.url, hide_parameters=True, **options)
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "consent-broker",
        "client_encoding": "UTF8",
        "options": " ".join(f"-c {name}={value}" for name, value in {**_EVERY_SESSION, **settings}.items()),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": int(seconds * 1000),
    }
    if address.password_file is not None:
        arguments["password"] = read_secret(address.password_file).decode().strip()

    def connect(_dialect: object, _record: object, _: list[Any], parameters: dict[str, Any]) -> TimedConnection:
        connection = TimedConnection.connect(**(parameters | arguments))
        connection.answer_within = seconds
        return connection

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", _collect_warnings)
    return engine


def _for_readers(address: PostgresqlAddress) -> PostgresqlAddress:
    """To libpq a session that is read-only by its own setting is one on a standby; `primary` asks the server itself."""
    if address.url.query.get("target_session_attrs") != "read-write":
        return address
    return replace(address, url=address.url.update_query_dict({"target_session_attrs": "primary"}))


def _collect_warnings(connection: TimedConnection, record: ConnectionPoolEntry) -> None:
    warnings: list[str] = record.info.setdefault("warnings", [])

    def collect(told: Diagnostic) -> None:
        if told.severity_nonlocalized == "WARNING":
            warnings.append(told.message_primary or "a warning")

    connection.add_notice_handler(collect)


def _check_server(connection: Connection, address: PostgresqlAddress) -> None:
    if int(_setting(connection, "server_version_num")) < OLDEST_SERVER * 10_000:
        raise address.refused(f"database: PostgreSQL {OLDEST_SERVER} or newer is needed")
    if _setting(connection, "server_encoding") != "UTF8":
        raise address.refused("database: the database's encoding must be UTF8")


def _setting(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())


def _collation_doubts(collation: str) -> list[str]:
    if collation in ("C", "C.UTF-8", "C.utf8", "POSIX"):
        return []
    return [f"database: collation {collation}: a newer C library can break text indexes; create it with --locale=C"]
