"""INSERT ... ON CONFLICT DO NOTHING, in the words that SQLite and PostgreSQL share."""

from typing import Any

from sqlalchemy import ClauseElement, Insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import SyntaxExtension


class DoNothing(SyntaxExtension, ClauseElement):
    """`insert(table).ext(DoNothing())`; the row count says whether the row is new."""

    inherit_cache = True
    _traverse_internals: list[Any] = []  # noqa: RUF012 - SQLAlchemy's own shape: nothing in it changes the statement

    def apply_to_insert(self, insert_stmt: Insert) -> None:
        insert_stmt.apply_syntax_extension_point(self.append_replacing_same_type, "post_values")


@compiles(DoNothing)
def _do_nothing(_element: DoNothing, _compiler: object, **_options: Any) -> str:
    return "ON CONFLICT DO NOTHING"
