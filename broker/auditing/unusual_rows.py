"""The rows that the unusual lists are made from: of some weeks, with what came of their cases since."""

from typing import Final

from sqlalchemy import Connection, or_, select

from audit import tables
from audit.search import first_at
from broker.auditing.unusual import AFTERWARDS, EVENTS, RELEASED, Month, Row
from policies.workdays import Workdays

MOST: Final = 1_500_000
"""Rows: a month of the busiest centre has a third of it, and more would need the memory of a small machine."""


class TooMany(Exception):
    """More rows than can be judged at once."""


def read_month(connection: Connection, since: int, before: int, now: int, workdays: Workdays) -> Month:
    """From `since` until before `before`, in microseconds. Raises TooMany."""
    index = tables.index.c
    columns = (
        index.idx,
        index.time,
        index.event,
        index.requester,
        index.operator,
        index.case,
        index.subject_ref,
        index.outcome,
    )
    query = (
        select(*columns)
        .distinct()  # an admission has a line for each item
        .where(index.idx >= first_at(connection, since), index.event.in_(EVENTS))
        .where(or_(index.idx < first_at(connection, before), index.event.in_(AFTERWARDS)))
        .where(or_(index.event != RELEASED, index.line == 0))
        .order_by(index.idx)
        .limit(MOST + 1)
    )
    rows = [Row(*row) for row in connection.execute(query)]
    if len(rows) > MOST:
        raise TooMany
    return Month.of(rows, now, workdays)
