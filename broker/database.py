"""The store behind the one door: what SQLite and PostgreSQL have in common, and how the settings' one is opened."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine

from broker import schema
from broker.processes import ProcessLock
from broker.safety import Safety
from broker.settings import Settings
from broker.sqlite import SqliteDatabase
from policies.strict_yaml import ConfigurationError

try:
    from broker.postgresql import PostgresqlDatabase
except ModuleNotFoundError as error:  # an installation without the extra `postgresql`
    if error.name != "psycopg":
        raise
    PostgresqlDatabase = None  # type: ignore[assignment,misc]


class Database(Protocol):
    """Owns its connections and whatever orders processes that write."""

    @property
    def reader(self) -> Engine:
        """Read-only connections; never one that is known to be broken."""
        ...

    def turn(self) -> AbstractContextManager[Connection]:
        """This process's turn to write: a transaction that is durable when the block has been left without an error.

        An error on leaving may come after the commit took effect: the outcome is then unknown, never to be tried again.
        """
        ...

    def long_turn(self) -> AbstractContextManager[Connection]:
        """A turn whose statements may take their time: migrations."""
        ...

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Everything as of one moment, the first read's, however long it is read; keeps no writer waiting."""
        ...

    def process_lock(self) -> ProcessLock: ...

    def safety(self) -> Safety: ...

    def sweep(self) -> None:
        """Take what was deleted out of the files, as far as the store can: an erased person's key must not linger."""

    def reopen(self) -> None:
        """Let go of what a fault may have broken; the next use opens it anew."""
        ...

    def close(self) -> None: ...


def open_database(settings: Settings) -> Database:
    """Raises ConfigurationError where it was never founded or needs a migration, LedgerUnavailable without a server."""
    database = open_for_migration(settings)
    try:
        _refuse_other_revisions(database, _place(settings))
    except BaseException:
        database.close()
        raise
    return database


def open_for_migration(settings: Settings) -> Database:
    """The founded database at whatever revision it has. Raises ConfigurationError where there is none."""
    if isinstance(settings.database, Path) and not settings.database.exists():
        raise ConfigurationError(
            f"{settings.database}:1: there is no database; run `broker init` first, or `broker restore` once more"
        )
    database = connect(settings)
    with database.reader.begin() as connection:
        founded = schema.revision_of(connection) is not None
    if not founded:
        database.close()
        raise ConfigurationError(f"{_place(settings)}: the database is empty; run `broker init` first")
    return database


def create_database(settings: Settings) -> Database:
    """An empty database to be founded. Raises FileExistsError where it holds something already."""
    if isinstance(settings.database, Path) and settings.database.exists():
        raise FileExistsError(settings.database)
    database = connect(settings)
    with database.reader.begin() as connection:
        founded = schema.revision_of(connection) is not None
    if founded:
        database.close()
        raise FileExistsError(_place(settings))
    return database


def connect(settings: Settings) -> Database:
    """Whatever is there: nothing yet, or a database at any revision."""
    if isinstance(settings.database, Path):
        return SqliteDatabase(settings.database)
    if PostgresqlDatabase is None:
        raise settings.database.refused("database: install consent-broker[postgresql] to use PostgreSQL")
    return PostgresqlDatabase(settings.database)


def _refuse_other_revisions(database: Database, place: str) -> None:
    with database.reader.begin() as connection:
        found, known = schema.revision_of(connection), schema.revisions()
    if found not in known:
        raise ConfigurationError(f"{place}: the database is at revision {found}, which is newer than this program")
    if found != known[-1]:
        stop_first = "stop every broker on it, then run `broker migrate`"
        raise ConfigurationError(f"{place}: the database is at revision {found}, not {known[-1]}: {stop_first}")


def _place(settings: Settings) -> str:
    """`file:line`, as every refusal begins."""
    if isinstance(settings.database, Path):
        return f"{settings.database}:1"
    return str(settings.database.refused("")).rstrip(": ")
