"""Statements of the exchange path: compiled once for each dialect, then run straight through the driver.

Through SQLAlchemy, running one costs ten times the database's own work, and an exchange runs a dozen. Values must be
what the driver itself takes and gives: integers, text, bytes, None. Errors are SQLAlchemy's, as everywhere else.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.exc import DBAPIError


class Prepared:
    """One statement. Its parameters are its own `bindparam`s or, of an insert and an update, the columns' names."""

    def __init__(self, statement: "Select[Any] | Insert | Update | Delete", *columns: str) -> None:
        """`columns` are those that an update sets; what its `where` compares are bindparams of other names."""
        self._statement = statement
        self._columns = columns
        selected = statement.selected_columns if isinstance(statement, Select) else ()
        self._row: Callable[..., Any] = _row_of(tuple(column.name for column in selected))
        self._compiled: dict[str, tuple[str, tuple[str, ...], Mapping[str, Any]]] = {}

    def all(self, connection: Connection, **values: Any) -> list[Any]:
        """Every row, its columns by name."""
        rows: list[tuple[Any, ...]] = self._run(connection, values, lambda cursor: cursor.fetchall())
        return [self._row(*row) for row in rows]

    def one(self, connection: Connection, **values: Any) -> Any | None:
        """The only row, its columns by name, or None."""
        rows = self.all(connection, **values)
        assert len(rows) < 2, "more than one row"  # noqa: PLR2004 - the caller asks by a key
        return rows[0] if rows else None

    def change(self, connection: Connection, **values: Any) -> int:
        """How many rows it changed."""
        return int(self._run(connection, values, lambda cursor: cursor.rowcount))

    def _run(self, connection: Connection, values: Mapping[str, Any], take: Callable[[Any], Any]) -> Any:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(connection)
        text, order, fixed = compiled
        given = {**fixed, **values} if fixed else values
        with driver_errors(connection):
            cursor = connection.connection.cursor()
            cursor.execute(text, [given[name] for name in order] if order else given)
            return take(cursor)

    def _compile(self, connection: Connection) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
        """The text, the parameters' order where it counts, and what the statement itself gives them."""
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=list(self._columns) or None)
        fixed = {name: value for name, value in compiled.params.items() if isinstance(value, (int, str, bytes))}
        return str(compiled), tuple(compiled.positiontup or ()), fixed


class driver_errors:  # noqa: N801 - used as a function is; made by @contextmanager it would cost as much as a query
    """Within it, an error of the driver is raised as SQLAlchemy's own."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        dialect = self._connection.dialect
        if isinstance(error, dialect.loaded_dbapi.Error):
            base: type[Exception] = dialect.loaded_dbapi.Error
            assert isinstance(error, Exception)
            raise DBAPIError.instance(None, None, error, base, hide_parameters=True, dialect=dialect) from error


def _row_of(names: tuple[str, ...]) -> Callable[..., Any]:
    row: Callable[..., Any] = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - made of columns
    return row
