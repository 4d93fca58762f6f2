"""The projection `audit_index`: the rows by which an entry is found, made from the entry alone; never evidence."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import Connection, delete, func, select

from audit import tables
from audit.event import Event
from audit.events import EVENTS
from audit.parts import IndexLine
from audit.rows import insert_rows

PIECE: Final = 2000
"""Entries renewed at once: some tens of milliseconds, so that appending goes on in between."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

IndexRows: TypeAlias = list[tuple[Any, ...]]
"""In the order of the columns of `audit_index`."""


class _Stored(msgspec.Struct, frozen=True):
    index: int
    time: str
    event: str
    body: msgspec.Raw


def rows_of(index: int, time: int, event: Event) -> IndexRows:
    """The rows of an entry; `time` is in microseconds since 1970."""
    return _rows(index, time, event.NAME, list(event.index_lines()))


def rebuild(connection: Connection, first: int) -> int | None:
    """Renew the rows of one piece of the log, from entry `first` on; where the next piece begins, None after the last.

    Rows that belong to no entry go. To be called from 0 on, each piece in a unit of work of its own or all in one.
    """
    entry, index = tables.entry, tables.index
    newest = connection.execute(select(func.max(entry.c.idx))).scalar_one()
    is_last = newest is None or first + PIECE > newest
    here = entry.c.idx.between(first, first + PIECE - 1)
    bodies = connection.execute(select(entry.c.body).where(here).order_by(entry.c.idx)).scalars()
    rows = [row for body in bodies for row in stored_rows(body)]
    stale = index.c.idx >= first if is_last else index.c.idx.between(first, first + PIECE - 1)
    connection.execute(delete(index).where(stale))
    insert_rows(connection, index, rows)
    return None if is_last else first + PIECE


def stored_rows(body: bytes) -> IndexRows:
    """The rows of an entry from its bytes; one plain row where its event is unknown, retired or of another shape."""
    stored = msgspec.json.decode(body, type=_Stored)
    microseconds = (datetime.fromisoformat(stored.time) - _EPOCH) // timedelta(microseconds=1)
    return _rows(stored.index, microseconds, stored.event, _lines(stored))


def _lines(stored: _Stored) -> list[IndexLine]:
    kind = EVENTS.get(stored.event)
    if kind is None:
        return [IndexLine()]
    try:
        return list(msgspec.json.decode(stored.body, type=kind).index_lines())
    except msgspec.ValidationError:
        return [IndexLine()]


def _rows(index: int, time: int, event: str, lines: list[IndexLine]) -> IndexRows:
    return [(index, number, time, event, *msgspec.structs.astuple(line)) for number, line in enumerate(lines)]
