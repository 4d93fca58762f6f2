"""Bringing the figures up to the end of the log, piece by piece; from nothing, that is a rebuild and comes to the same.

 1 read    where the count stands, the next entries, their cases, and of a month that is over all its facts
 2 count   in memory, no transaction open
 3 write   a unit of work without entries, only where the count still stands where it stood: one process wins

A month is over when an entry of a later one comes, so what is counted depends on the log alone. Where the ground has
changed (the catalogue's papers, the cities, the smallest number, the rules themselves) the count begins anew.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from audit import tables as audit_tables
from audit.batch import Transaction
from audit.rows import insert_rows
from broker import tables
from broker.figures.cases import COUNTED, Case, Entry, Ground, live_on
from broker.figures.measures import Fact
from broker.figures.months import Row, add_up
from broker.moments import BEIJING
from broker.storage import Storage

RULES: Final = 1
"""Raise it with any change to what is counted, and every broker counts anew."""
PIECE: Final = 500
BEFORE_ALL: Final = -1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counting:
    """What is counted by."""

    ground: Ground
    smallest: int

    @property
    def digest(self) -> bytes:
        """Changes with everything that the count depends on beside the log."""
        papers = {
            name: [[one.state, one.item] for one in matter.materials]
            + sorted(need.item for need in matter.needs.values() if need.when_zh)
            for name, matter in sorted(self.ground.matters.items())
        }
        places = self.ground.places
        distances = sorted([*sorted(pair), km] for pair, km in places.distances.items())
        cities = [sorted(one.items()) for one in (places.requesters, places.departments, places.routes)]
        return hashlib.sha256(json.dumps([RULES, self.smallest, papers, cities, distances]).encode()).digest()


class _Stored(msgspec.Struct, frozen=True):
    index: int
    time: str
    event: str
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class _Before:
    """What step 1 read."""

    ground: bytes
    reached: int
    month: str
    entries: Sequence[_Stored]
    """All of one month."""
    lives: Mapping[str, Case]
    over: Sequence[Fact]
    """Of the month that is over, where `entries` are of a later one."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """What step 3 writes."""

    before: _Before
    month: str
    rows: Sequence[Row]
    lives: Mapping[str, Case]
    facts: Sequence[tuple[int, int, Fact]] = field(repr=False)


def count_on(storage: Storage, counting: Counting) -> bool:
    """Count one piece; whether there may be more. Called from a thread of its own."""
    with storage.reader.begin() as connection:
        before = _read(connection)
    if before.ground != counting.digest:
        storage.ledger.record(lambda transaction: _begin(transaction, counting.digest)).result()
        return True
    if not before.entries:
        return False
    counted = _count(before, counting)
    storage.ledger.record(lambda transaction: _write(transaction, counted)).result()
    return True


def begin_anew(storage: Storage, counting: Counting) -> None:
    """Forget everything that was counted."""
    storage.ledger.record(lambda transaction: _begin(transaction, counting.digest)).result()


def month_of(milliseconds: int) -> str:
    """The month that it is in Beijing, as 2026-11."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(BEIJING).strftime("%Y-%m")


def case_of(connection: Connection, case: str) -> Case | None:
    """What is remembered of a case, `requester/case/matter`."""
    return _lives(connection, [case]).get(case)


def _read(connection: Connection) -> _Before:  # 1
    state = connection.execute(select(tables.figures_state)).one_or_none()
    if state is None:
        return _Before(b"", BEFORE_ALL, "", (), {}, ())
    entry = audit_tables.entry
    query = select(entry.c.body).where(entry.c.idx > state.reached).order_by(entry.c.idx).limit(PIECE)
    found = [msgspec.json.decode(body, type=_Stored) for body in connection.execute(query).scalars()]
    month = month_of(_milliseconds(found[0].time)) if found else state.month
    entries = list(takewhile(lambda one: month_of(_milliseconds(one.time)) == month, found))
    lives = _lives(connection, {one.case for one in _of_cases(entries)})
    over = _facts(connection) if month != state.month else ()
    return _Before(state.ground, state.reached, state.month, entries, lives, list(over))


def _count(before: _Before, counting: Counting) -> _Counted:  # 2
    lives = dict(before.lives)
    facts = [
        (entry.index, line, fact)
        for entry in _of_cases(before.entries)
        for line, fact in enumerate(live_on(lives.setdefault(entry.case, Case()), entry, counting.ground))
    ]
    month = month_of(_milliseconds(before.entries[0].time))
    return _Counted(before, month, list(add_up(before.over, counting.smallest)), lives, facts)


def _write(transaction: Transaction, counted: _Counted) -> None:  # 3
    connection, before, state = transaction.connection, counted.before, tables.figures_state
    stands = (state.c.reached == before.reached, state.c.ground == before.ground)
    moved = update(state).where(*stands).values(reached=before.entries[-1].index, month=counted.month)
    if connection.execute(moved).rowcount != 1:
        return  # another process was quicker
    if counted.month != before.month:
        connection.execute(delete(tables.figures_fact))
        insert_rows(connection, tables.figure, [_published(before.month, row) for row in counted.rows])
    known = tables.figures_case
    connection.execute(delete(known).where(known.c.case.in_(counted.lives)))
    insert_rows(connection, known, [(name, msgspec.json.encode(life)) for name, life in counted.lives.items()])
    insert_rows(connection, tables.figures_fact, list(_fact_rows(counted.facts)))


def _begin(transaction: Transaction, ground: bytes) -> None:
    for table in (tables.figures_state, tables.figures_case, tables.figures_fact, tables.figure):
        transaction.connection.execute(delete(table))
    beginning = {"id": 1, "reached": BEFORE_ALL, "month": "", "ground": ground}
    transaction.connection.execute(insert(tables.figures_state).values(**beginning))


def _of_cases(stored: Iterable[_Stored]) -> Iterator[Entry]:
    for one in stored:
        if one.event in COUNTED:
            yield Entry(one.index, _milliseconds(one.time), one.event, msgspec.json.decode(one.body))


def _lives(connection: Connection, cases: Iterable[str]) -> Mapping[str, Case]:
    table = tables.figures_case
    rows = connection.execute(select(table).where(table.c.case.in_(list(cases))))
    return {row.case: msgspec.json.decode(row.life, type=Case) for row in rows}


def _facts(connection: Connection) -> Iterator[Fact]:
    for row in connection.execute(select(tables.figures_fact)):
        yield Fact(row.measure, tuple(json.loads(row.key)), row.case, row.subject_ref, row.n, row.total)


def _fact_rows(facts: Sequence[tuple[int, int, Fact]]) -> Iterator[tuple[Any, ...]]:
    for index, line, fact in facts:
        key = json.dumps(fact.key, ensure_ascii=False)
        yield index, line, fact.measure, key, fact.of_case, fact.subject_ref, fact.n, fact.total


def _published(month: str, row: Row) -> tuple[Any, ...]:
    return month, row.measure, row.view, row.word, str(row.state), row.n, row.total


def _milliseconds(time: str) -> int:
    moment = datetime.fromisoformat(time) - _EPOCH
    return (moment.days * 86_400 + moment.seconds) * 1000 + moment.microseconds // 1000
