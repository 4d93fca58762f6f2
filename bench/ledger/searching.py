"""How long searches take, by each thing one may search by: the slowest of several, for what stands on random lines."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from audit import tables
from audit.events import LogForkAccepted
from audit.search import Wanted, month, search
from bench.failure import RunFailed

SEARCHES: Final = 20


def search_times(connection: Connection, size: int) -> dict[str, float]:
    """By kind, the slowest first page in milliseconds. Raises RunFailed where what must be found is not."""
    chance = random.Random(size)
    lines = [_line(connection, chance.randrange(size)) for _ in range(SEARCHES)]
    for make in KINDS.values():  # not timed: each statement is compiled once in a process's life
        _found(connection, make(lines[0]))
    times = {name: max(_found(connection, make(line)) for line in lines) for name, make in KINDS.items()}
    busiest = max(lines, key=lambda line: line.requester == "hpf-01")
    nothing = Wanted(requester=busiest.requester, events=(LogForkAccepted.NAME,))
    return times | {"requester and event, none": _milliseconds(connection, nothing)[0]}


def _line(connection: Connection, index: int) -> Row[Any]:
    """A line about an item, of the entry at `index` or near it."""
    table = tables.index
    near = select(table).where(table.c.item != "")
    after = near.where(table.c.idx >= index).order_by(table.c.idx).limit(1)
    before = near.where(table.c.idx < index).order_by(table.c.idx.desc()).limit(1)
    found = connection.execute(after).one_or_none()
    return found if found is not None else connection.execute(before).one()


def _found(connection: Connection, wanted: Wanted) -> float:
    milliseconds, hits = _milliseconds(connection, wanted)
    if not hits:
        raise RunFailed("a search did not find what is there")
    return milliseconds


def _milliseconds(connection: Connection, wanted: Wanted) -> tuple[float, int]:
    began = time.perf_counter()
    hits = len(search(connection, wanted).hits)
    return (time.perf_counter() - began) * 1000, hits


def _in_month(line: Row[Any], requester: str = "") -> Wanted:
    since, before = month(f"{datetime.fromtimestamp(line.time / 1_000_000, UTC):%Y-%m}")
    return Wanted(since=since, before=before, requester=requester)


KINDS: Final[Mapping[str, Callable[[Row[Any]], Wanted]]] = {
    "person": lambda line: Wanted(subject_ref=line.subject_ref),
    "requester": lambda line: Wanted(requester=line.requester),
    "operator": lambda line: Wanted(operator=line.operator),
    "item": lambda line: Wanted(item=line.item),
    "matter and case": lambda line: Wanted(matter=line.matter, case=line.case),
    "month": _in_month,
    "event": lambda line: Wanted(events=(line.event,)),
    "requester and month": lambda line: _in_month(line, requester=line.requester),
    "requester and item": lambda line: Wanted(requester=line.requester, item=line.item),
    "operator and item": lambda line: Wanted(operator=line.operator, item=line.item),
}
