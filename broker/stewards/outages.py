"""Outages that a department's steward tells beforehand: an item asked for then is `closed_hours`, as by its route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select

from audit.batch import Transaction
from audit.prepared import Prepared
from audit.sharing_events import OutageAnnounced, OutageCancelled
from broker import tables
from broker.moments import BEIJING
from broker.stewards.numbers import new_number
from broker.stops import Side
from connectors.hours import Outage
from policies.identifiers import read_label
from policies.refusals import Code, Refused

AT_MOST: Final = 20
"""Of one item at once, not yet over: as many in a row are looked at when it is asked when it opens."""
WORDS_LIMIT: Final = 200
_TABLE: Final = tables.outage
_FORM: Final = "%Y-%m-%d %H:%M"
_STILL: Final = Prepared(
    select(_TABLE).where(_TABLE.c.ends > bindparam("now")).order_by(_TABLE.c.begins, _TABLE.c.number)
)


@dataclass(frozen=True, slots=True)
class Announced:
    """An outage's row. The times are in China, as `2026-12-01 22:00`."""

    number: str
    item: str
    department: str
    begins: str
    ends: str
    words: str
    by: str

    @property
    def outage(self) -> Outage:
        return Outage(self.begins, self.ends, self.words)

    @property
    def days(self) -> tuple[str, str]:
        """Both times as on the wire, in UTC."""
        begins, ends = (one.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for one in self.outage.span())
        return begins, ends


def read_outage(fields: Mapping[str, str]) -> Outage:
    """From a form's `from`, `to` and `words`. Raises Refused(invalid_request) naming the member."""
    given = {name: fields.get(name, "").strip().replace("T", " ") for name in ("from", "to")}
    try:
        words = read_label(fields.get("words", "").strip(), WORDS_LIMIT)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="words") from error
    if not words:
        raise Refused(Code.INVALID_REQUEST, member="words")
    try:
        outage = msgspec.convert(given | {"reason": words}, Outage)
        outage.check()
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="from") from error
    return outage


def announce(transaction: Transaction, item: str, outage: Outage, side: Side) -> str:
    """Tell of one; its number. Raises Refused(invalid_request) where it is over, rate_limited beyond AT_MOST."""
    now = transaction.time / 1_000_000
    if outage.ends <= _written(now):
        raise Refused(Code.INVALID_REQUEST, member="to")
    if len([one for one in still_announced(transaction.connection, now) if one.item == item]) >= AT_MOST:
        raise Refused(Code.RATE_LIMITED)
    number = new_number("TJ")
    transaction.connection.execute(
        insert(_TABLE).values(
            number=number,
            item=item,
            department=side.department,
            begins=outage.begins,
            ends=outage.ends,
            words=outage.reason,
            by=side.by,
        )
    )
    transaction.append(
        OutageAnnounced(
            number=number,
            department=side.department,
            by=side.by,
            item=item,
            begins=outage.begins,
            ends=outage.ends,
        )
    )
    return number


def cancel(transaction: Transaction, number: str, side: Side) -> None:
    """Take it back. Raises Refused(not_found), for another department's too."""
    mine = (_TABLE.c.number == number, _TABLE.c.department == side.department)
    item = transaction.connection.execute(select(_TABLE.c.item).where(*mine)).scalar_one_or_none()
    if item is None:
        raise Refused(Code.NOT_FOUND)
    transaction.connection.execute(delete(_TABLE).where(_TABLE.c.number == number))
    transaction.append(OutageCancelled(number=number, department=side.department, by=side.by, item=item))


def still_announced(connection: Connection, now: float) -> Sequence[Announced]:
    """What is not over at `now` (seconds since 1970), the next one first."""
    return [Announced(**row._asdict()) for row in _STILL.all(connection, now=_written(now))]


def announced_outages(connection: Connection, now: float) -> Mapping[str, tuple[Outage, ...]]:
    """The same by item, as the directory of departments takes them."""
    return by_item(still_announced(connection, now))


def by_item(announced: Sequence[Announced]) -> Mapping[str, tuple[Outage, ...]]:
    told: dict[str, tuple[Outage, ...]] = {}
    for one in announced:
        told[one.item] = (*told.get(one.item, ()), one.outage)
    return told


def members(one: Announced) -> dict[str, Any]:
    """An outage on the wire."""
    begins, ends = one.days
    return {"number": one.number, "item": one.item, "from": begins, "to": ends, "words": one.words}


def _written(now: float) -> str:
    return datetime.fromtimestamp(now, BEIJING).strftime(_FORM)
