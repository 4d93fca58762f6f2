"""A copy of every table by PostgreSQL's own COPY, all in one repeatable-read snapshot, and its way back.

Not by pg_dump, even where there is one: the way back is one transaction of ours, whole or not at all, into a schema
that our own migrations make. It runs no SQL out of an archive, needs no program of the server's version on the machine
where all was lost, and a drill can take it in a schema that is rolled back, without the right to make a database.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect

from broker import schema
from broker.backups.archive import Archive, Progress, compressing
from broker.backups.errors import BackupDamaged, BackupRefused
from broker.database import Database
from broker.processes import living_on

MEMBER: Final = "tables/{}.copy.gz"
"""In COPY's text form."""
REVISION: Final = "alembic_version"
"""Written by the migrations themselves."""
_OURS: Final = re.compile(r"(audit|broker|consent)_[a-z_]+")
Columns = Mapping[str, Sequence[str]]


def columns_of(connection: Connection) -> dict[str, list[str]]:
    """Every table of ours with its columns."""
    found = inspect(connection)
    names = sorted(name for name in found.get_table_names() if _OURS.fullmatch(name))
    return {name: [column["name"] for column in found.get_columns(name)] for name in names}


def copy_out(connection: Connection, folder: Path, columns: Columns, progress: Progress) -> dict[str, Path]:
    """Copy these tables as the connection's snapshot sees them; by member's name, the compressed files."""
    files = {}
    for number, (table, names) in enumerate(columns.items(), 1):
        file = files[MEMBER.format(table)] = folder / f"{table}.copy.gz"
        with compressing(file) as packed:
            for piece in _rows(connection, f"COPY {_quoted(table, names)} TO STDOUT"):
                packed.write(piece)
        progress(number, len(columns))
    return files


def copy_in(connection: Connection, archive: Archive) -> None:
    """Make the schema, fill it and bring it forward, in the caller's transaction. Raises BackupDamaged."""
    manifest = archive.manifest
    schema.upgrade(connection, manifest.revision)
    if columns_of(connection) != {table: list(names) for table, names in manifest.columns.items()}:
        raise BackupDamaged("manifest", f"its tables are not those of revision {manifest.revision}")
    for table, names in manifest.columns.items():
        with _cursor(connection).copy(f"COPY {_quoted(table, names)} FROM STDIN") as copy:
            for piece in archive.unpacked(MEMBER.format(table)):
                copy.write(piece)
    schema.upgrade(connection)


class _NeverWasError(Exception):
    """Leaves a transaction so that it is rolled back."""


@contextmanager
def rehearsal(database: Database) -> Iterator[Connection]:
    """An empty schema beside the living one and out of its sight, in a transaction that is always rolled back."""
    with suppress(_NeverWasError), database.long_turn() as connection:
        name = f"rehearsal_{secrets.token_hex(8)}"
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        connection.exec_driver_sql(f"SET LOCAL search_path = {name}")
        yield connection
        raise _NeverWasError


def clear(connection: Connection, *, force: bool) -> None:
    """Make the place empty. Raises BackupRefused over a living broker, and without `force` where anything is there."""
    if living_on(connection):
        raise BackupRefused("a broker is running on this database: stop it first")
    there = [*columns_of(connection), *(name for name in [REVISION] if inspect(connection).has_table(name))]
    if there and not force:
        raise BackupRefused("the database is not empty: restore into a new one, or with --force over this one")
    if there:
        connection.exec_driver_sql(f"DROP TABLE {', '.join(there)}")


def _rows(connection: Connection, statement: str) -> Iterator[bytes]:
    with _cursor(connection).copy(statement) as copy:
        yield from copy


def _cursor(connection: Connection) -> Any:
    """The driver's own: COPY is no statement of SQLAlchemy's."""
    return connection.connection.driver_connection.cursor()  # type: ignore[union-attr]


def _quoted(table: str, columns: Sequence[str]) -> str:
    """`case` is a word of SQL's. The names are of our own migrations' making, and hold no quotes."""
    named = '", "'.join(columns)
    return f'"{table}" ("{named}")'
