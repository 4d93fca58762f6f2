"""What hurts on the way, and getting it mended: problems with an owner and a clock, ratings, and consultations.

None of it is in the log and none of it names a citizen: a problem is about a matter, a rating leads to nobody, and of a
consultation only the number is kept.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from audit.batch import Transaction
from broker import tables
from broker.figures.counting import month_of
from broker.moments import day_of
from broker.on_conflict import DoNothing
from policies.identifiers import read_label
from policies.refusals import Code, Refused
from policies.workdays import Workdays

TEXT_LIMIT: Final = 400
WORKDAYS: Final = 5
"""For mending, unless said otherwise."""
LONGEST: Final = 250


class Source(StrEnum):
    WALK = "walk"
    """Somebody walked through a matter herself."""
    RATING = "rating"
    LISTED = "listed"
    """Somebody wrote it down."""


class Level(IntEnum):
    """How a person found it, as in the national 好差评."""

    VERY_BAD = 1
    BAD = 2
    FAIR = 3
    GOOD = 4
    VERY_GOOD = 5


class Reason(StrEnum):
    """What was not good; a closed list, so that nobody writes a name."""

    NONE = "none"
    SLOW = "slow"
    UNCLEAR = "unclear"
    PAPERS = "papers"
    TRIPS = "trips"
    MANNER = "manner"


LOW: Final = frozenset({Level.VERY_BAD, Level.BAD})


class Channel(StrEnum):
    PHONE = "phone"
    COUNTER = "counter"
    ONLINE = "online"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A problem as it is brought in."""

    source: Source
    matter: str
    step: str
    text: str
    owner: str
    calendar: Workdays
    workdays: int = WORKDAYS


def open_problem(transaction: Transaction, found: Found) -> int:
    """A unit of work without entries; the problem's number. Raises Refused(invalid_request)."""
    table = tables.problem
    for member, text, longest in (
        ("text", found.text, TEXT_LIMIT),
        ("owner", found.owner, 64),
        ("step", found.step, 40),
    ):
        _read(member, text, longest)
    if not 1 <= found.workdays <= LONGEST:
        raise Refused(Code.INVALID_REQUEST, member="workdays")
    newest = transaction.connection.execute(select(func.max(table.c.number))).scalar_one() or 0
    now = transaction.time // 1_000_000
    transaction.connection.execute(
        insert(table).values(
            number=newest + 1,
            source=found.source,
            matter=found.matter,
            step=found.step,
            text=found.text,
            owner=found.owner,
            opened_at=now,
            due_on=found.calendar.after(day_of(now), found.workdays).isoformat(),
            remedy="",
        )
    )
    return int(newest) + 1


def close_problem(transaction: Transaction, number: int, remedy: str) -> None:
    """A unit of work without entries. Raises Refused(not_found) unless it is open."""
    table = tables.problem
    _read("remedy", remedy, TEXT_LIMIT)
    closed = update(table).where(table.c.number == number, table.c.closed_at.is_(None))
    values = {"closed_at": transaction.time // 1_000_000, "remedy": remedy}
    if transaction.connection.execute(closed.values(**values)).rowcount != 1:
        raise Refused(Code.NOT_FOUND)


def problems(connection: Connection, *, closed: bool = False) -> Sequence[dict[str, Any]]:
    """Those that are open, the first due first; or those that are closed, the newest first."""
    table = tables.problem
    query = select(table).where(table.c.closed_at.is_not(None) if closed else table.c.closed_at.is_(None))
    order = (table.c.closed_at.desc(), table.c.number) if closed else (table.c.due_on, table.c.number)
    return [dict(row) for row in connection.execute(query.order_by(*order)).mappings()]


@dataclass(frozen=True, slots=True)
class Decision:
    """A decided case that a person may rate."""

    requester: str
    case: str
    matter: str


def rate(
    transaction: Transaction, subject_ref: str, decision: Decision, said: tuple[Level, Reason], calendar: Workdays
) -> None:
    """A unit of work without entries, once a person and case; a low one becomes a problem of the requester's.

    Raises Refused(already_decided) the second time.
    """
    level, reason = said
    row = {
        "id": _rating_id(subject_ref, decision),
        "matter": decision.matter,
        "requester": decision.requester,
        "level": int(level),
        "reason": str(reason),
        "month": month_of(transaction.time // 1000),
    }
    if transaction.connection.execute(insert(tables.rating).values(**row).ext(DoNothing())).rowcount != 1:
        raise Refused(Code.ALREADY_DECIDED)
    if level in LOW:
        text = f"评价 {int(level)}/5，原因 {reason}"
        found = Found(
            source=Source.RATING,
            matter=decision.matter,
            step=str(reason),
            text=text,
            owner=decision.requester,
            calendar=calendar,
        )
        open_problem(transaction, found)


def is_rated(connection: Connection, subject_ref: str, decision: Decision) -> bool:
    table = tables.rating
    query = select(table.c.level).where(table.c.id == _rating_id(subject_ref, decision))
    return connection.execute(query).one_or_none() is not None


def count_consultation(transaction: Transaction, channel: Channel, matter: str, *, answered: bool) -> None:
    """A unit of work without entries: one more question of this month."""
    table = tables.consultation
    key = {"month": month_of(transaction.time // 1000), "channel": channel, "matter": matter, "answered": int(answered)}
    transaction.connection.execute(insert(table).values(**key, n=0).ext(DoNothing()))
    more = update(table).where(*(table.c[name] == value for name, value in key.items()))
    transaction.connection.execute(more.values(n=table.c.n + 1))


def consultations(connection: Connection) -> Sequence[dict[str, Any]]:
    """How many there were, the newest month first."""
    table = tables.consultation
    order = (table.c.month.desc(), table.c.channel, table.c.matter, table.c.answered)
    return [dict(row) for row in connection.execute(select(table).order_by(*order)).mappings()]


def _rating_id(subject_ref: str, decision: Decision) -> bytes:
    words = (subject_ref, decision.requester, decision.case, decision.matter)
    return hashlib.sha256("/".join(words).encode()).digest()


def _read(member: str, text: str, longest: int) -> None:
    try:
        read_label(text, longest)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=member) from error
