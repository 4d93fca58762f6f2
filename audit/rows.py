"""Rows on their way into the ledger's tables, straight through the driver: many at once, in the columns' order."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table

from audit.prepared import driver_errors


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, none included. Values must be what the driver itself takes: integers, text, bytes.

    Binding row by row in SQLAlchemy would cost more than the database's own work.
    """
    if rows:
        with driver_errors(connection):
            connection.connection.cursor().executemany(_insert_statement(connection.dialect, table), rows)


@lru_cache(maxsize=16)
def _insert_statement(dialect: Dialect, table: Table) -> str:
    quoted = dialect.identifier_preparer
    columns = ", ".join(quoted.format_column(column) for column in table.c)
    marks = ", ".join(["?" if dialect.paramstyle == "qmark" else "%s"] * len(table.c))
    return f"INSERT INTO {quoted.format_table(table)} ({columns}) VALUES ({marks})"  # noqa: S608 - our own tables' names
