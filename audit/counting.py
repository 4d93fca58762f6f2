"""How many lines the projection holds of some items, by who asked, for which matter and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from audit import tables
from audit.search import first_at


@dataclass(frozen=True, slots=True)
class Count:
    """A line is one item of one person in one entry."""

    requester: str
    matter: str
    item: str
    event: str
    outcome: str
    lines: int


def count_lines(
    connection: Connection, items: Sequence[str], events: Sequence[str], since: int, before: int
) -> Sequence[Count]:
    """Of these items and events, from `since` until before `before`, in microseconds since 1970."""
    table = tables.index
    grouped = (table.c.requester, table.c.matter, table.c.item, table.c.event, table.c.outcome)
    within = (table.c.idx >= first_at(connection, since), table.c.idx < first_at(connection, before))
    query = select(*grouped, func.count()).where(table.c.item.in_(items), table.c.event.in_(events), *within)
    return [Count(*row) for row in connection.execute(query.group_by(*grouped).order_by(*grouped))]
