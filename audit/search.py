"""Finding entries through the projection, newest first and page by page. What is found is proven elsewhere.

Every filter that is given must hold: of the entry, and where a person or an item is wanted, of one and the same line.
The filter that fewest entries match is looked up in its index, the others sift what it finds; a time is turned into a
range of indexes first, for times rise with them.
"""

import base64
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select

from audit import tables
from audit.errors import SearchRefused
from audit.tables import FIRST_LINE

PAGE_LIMIT: Final = 500
CURSOR_SIZE: Final = 8
TELLING: Final = ("subject_ref", "case", "operator", "item", "requester", "event")
"""The columns with an index, the one that usually leaves least to sift first."""
FEW: Final = frozenset({"subject_ref", "case"})
"""Never so many entries of one that counting them were worth it."""
COUNTED: Final = 50_000
"""Rows at most, some milliseconds: enough to tell a rare word from a common one."""
OF_A_LINE: Final = frozenset({"subject_ref", "item"})
_OF_ENTRY: Final = ("requester", "operator", "desk", "matter", "case")
_MONTH: Final = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")

Condition: TypeAlias = ColumnElement[bool]
Words: TypeAlias = Mapping[str, tuple[str, ...]]
"""By column, the values of which one must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for; an empty member asks for nothing. Times are microseconds since 1970."""

    subject_ref: str = ""
    requester: str = ""
    operator: str = ""
    desk: str = ""
    """Has no index: to be sought beside something that has, or within a time."""
    matter: str = ""
    case: str = ""
    item: str = ""
    events: tuple[str, ...] = ()
    """Any of these."""
    since: int | None = None
    before: int | None = None
    """Exclusive."""

    def words(self) -> "Words":
        names = ("subject_ref", "requester", "operator", "desk", "matter", "case", "item")
        given = {name: (getattr(self, name),) for name in names if getattr(self, name)}
        return given | ({"event": self.events} if self.events else {})


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended. It holds a position and no right: whoever makes one up has only turned the page."""

    below: int
    """The next page's entries have a smaller index."""

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(self.below.to_bytes(CURSOR_SIZE, "big")).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Undo `str`, and nothing but that. Raises SearchRefused."""
        try:
            octets = base64.urlsafe_b64decode(f"{text}=".encode("ascii"))
        except ValueError:
            octets = b""
        cursor = cls(int.from_bytes(octets, "big"))
        if len(octets) != CURSOR_SIZE or cursor.below >= 1 << 63 or str(cursor) != text:
            raise SearchRefused("cursor", "not one that a search has given")
        return cursor


@dataclass(frozen=True, slots=True)
class Line:
    """What an entry says of one item of one person; empty where it says nothing of them."""

    subject_ref: str
    item: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry as the projection has it, with all its lines. `time` is in microseconds since 1970."""

    index: int
    time: int
    event: str
    requester: str
    operator: str
    desk: str
    matter: str
    case: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Hits, the newest first; `following` leads on where there are more."""

    hits: tuple[Hit, ...]
    following: Cursor | None


def month(text: str) -> tuple[int, int]:
    """From when until before when a month of UTC lasts, `2026-11`, in microseconds. Raises SearchRefused."""
    found = _MONTH.fullmatch(text)
    if found is None:
        raise SearchRefused("month", "not written as 2026-11")
    year, number = int(found[1]), int(found[2])
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return _microseconds(datetime(year, number, 1, tzinfo=UTC)), _microseconds(end)


def search(connection: Connection, wanted: Wanted, *, limit: int = 50, cursor: Cursor | None = None) -> Page:
    """One page. Entries appended meanwhile never shift it. Raises SearchRefused unless 1 <= limit <= PAGE_LIMIT."""
    if not 1 <= limit <= PAGE_LIMIT:
        raise SearchRefused("limit", f"from 1 to {PAGE_LIMIT}")
    found = newest(connection, wanted, limit + 1, cursor)
    shown = found[:limit]
    following = Cursor(shown[-1]) if len(found) > limit else None
    return Page(tuple(_hits(connection, shown)), following)


def newest(connection: Connection, wanted: Wanted, limit: int, cursor: Cursor | None = None) -> Sequence[int]:
    """The indexes of the newest entries wanted, falling, at most `limit`."""
    idx = tables.index.c.idx
    within = []
    if cursor is not None:
        within.append(idx < cursor.below)
    if wanted.since is not None:
        within.append(idx >= first_at(connection, wanted.since))
    if wanted.before is not None:
        within.append(idx < first_at(connection, wanted.before))
    query = _query(connection, wanted.words(), within)
    return connection.execute(query.order_by(idx.desc()).limit(limit)).scalars().all()


def following(connection: Connection, wanted: Wanted, *, after: int, below: int, limit: int) -> Sequence[int]:
    """The indexes of the oldest entries wanted between two indexes, both exclusive, rising, at most `limit`."""
    idx = tables.index.c.idx
    query = _query(connection, wanted.words(), [idx > after, idx < below])
    return connection.execute(query.order_by(idx).limit(limit)).scalars().all()


def _query(connection: Connection, words: Words, within: Sequence[Condition]) -> Select[int]:
    table = tables.index
    telling = _telling(connection, words, within)
    looked_up = _look_up(telling, words[telling][0]) if telling is not None else select(table.c.idx).where(FIRST_LINE)
    sifted = {name: values for name, values in words.items() if name != telling}
    if telling in OF_A_LINE:
        return looked_up.distinct().where(*within, *_sifting(sifted))
    item = sifted.pop("item", None)
    query = looked_up.where(*within, *_sifting(sifted))
    if item is None:
        return query
    line = table.alias("line_of_item")
    return query.where(exists().where(line.c.idx == table.c.idx, line.c.item == item[0]))


def _telling(connection: Connection, words: Words, within: Sequence[Condition]) -> str | None:
    """The column to look up: the one whose word fewest rows have, lest two common words that never meet be long."""
    names = [name for name in TELLING if len(words.get(name, ())) == 1]
    if len(names) < 2 or names[0] in FEW:  # noqa: PLR2004 - two to choose from
        return next(iter(names), None)

    def count(name: str) -> int:
        rows = _look_up(name, words[name][0]).where(*within).limit(COUNTED).subquery()
        return connection.execute(select(func.count()).select_from(rows)).scalar_one()

    return min(names, key=count)


def _look_up(name: str, word: str) -> Select[int]:
    query = select(tables.index.c.idx).where(tables.index.c[name] == word)
    return query if name in OF_A_LINE else query.where(FIRST_LINE)


def _sifting(words: Words) -> Iterator[Condition]:
    # An empty text joined to the column keeps a planner without statistics from choosing this column's index instead
    return ((tables.index.c[name] + "").in_(values) for name, values in words.items())


def _hits(connection: Connection, indexes: Sequence[int]) -> Iterator[Hit]:
    table = tables.index
    rows = connection.execute(select(table).where(table.c.idx.in_(indexes)).order_by(table.c.line)).all()
    by_index: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_index[row.idx].append(row)
    for index in indexes:
        first = by_index[index][0]
        lines = tuple(Line(row.subject_ref, row.item, row.outcome) for row in by_index[index])
        names = {name: getattr(first, name) for name in _OF_ENTRY}
        yield Hit(index, first.time, first.event, **names, lines=lines)


def first_at(connection: Connection, moment: int) -> int:
    """The index from which on entries are not older than `moment`: a search by halves, for times rise with indexes."""
    idx, time = tables.index.c.idx, tables.index.c.time
    newest_row = connection.execute(select(idx).order_by(idx.desc()).limit(1)).scalar()
    low, high = 0, 0 if newest_row is None else newest_row + 1
    while low < high:
        middle = (low + high) // 2
        at, found = connection.execute(select(idx, time).where(idx >= middle).order_by(idx).limit(1)).one()
        if found < moment:
            low = at + 1
        else:
            high = middle
    return low


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
