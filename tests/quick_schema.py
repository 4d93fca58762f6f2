"""The schema that the migrations make on SQLite, made once in a test run and written again for each small world.

tests/store/test_migrations.py runs the migrations themselves, from empty and from every earlier revision.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from broker import schema

_migrate = schema.upgrade


@contextmanager
def schema_from_memory() -> Iterator[None]:
    """Within it, an empty SQLite database gets its schema by statements kept in memory."""
    with mock.patch.object(schema, "upgrade", _write):
        yield


def _write(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        _migrate(connection)
        return
    for statement in _statements():
        connection.exec_driver_sql(statement)


@cache
def _statements() -> tuple[str, ...]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        _migrate(connection)
        made = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).scalars()
        statements = [statement for statement in made if "sqlite_" not in statement.partition("(")[0]]
        revision = schema.revision_of(connection)
    engine.dispose()
    return (*statements, f"INSERT INTO alembic_version (version_num) VALUES ('{revision}')")
