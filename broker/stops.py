"""What may not be released now: everything, or one item, to everybody or to one requester.

Bites at the next admission and at every release under way. Each side, a department and whoever operates this, has stops
of its own: neither lifts the other's, and data leaves only where nobody has stopped it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from audit.batch import Transaction
from audit.events import ReleasesStarted, ReleasesStopped
from broker import tables
from policies.refusals import Code, Refused

_TABLE: Final = tables.stop


@dataclass(frozen=True, slots=True)
class Side:
    """Who stops: a department's steward by number, or with nothing whoever operates the program."""

    department: str = ""
    by: str = ""


OPERATING: Final = Side()


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop's row. `stopped_at` is seconds since 1970."""

    item: str
    requester: str
    department: str
    reason: str
    by: str
    stopped_at: int


def stop_releases(
    transaction: Transaction, item: str, reason: str, *, requester: str = "", side: Side = OPERATING
) -> None:
    """Stop one item, or everything under the empty name. Raises Refused(already_decided) where it is, by this side.

    A requester who is to get nothing at all is suspended instead: Refused(invalid_request).
    """
    if requester and not item:
        raise Refused(Code.INVALID_REQUEST, member="item")
    if _is_stopped(transaction, _this(item, requester, side)):
        raise Refused(Code.ALREADY_DECIDED)
    transaction.connection.execute(
        insert(_TABLE).values(
            item=item,
            requester=requester,
            department=side.department,
            reason=reason,
            by=side.by,
            stopped_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(
        ReleasesStopped(item=item, requester=requester, department=side.department, by=side.by, reason=reason)
    )


def start_releases(transaction: Transaction, item: str, *, requester: str = "", side: Side = OPERATING) -> None:
    """Lift this side's stop. Raises Refused: forbidden where only another side has stopped it, else not_found."""
    this = _this(item, requester, side)
    if not _is_stopped(transaction, this):
        by_another = _is_stopped(transaction, and_(_TABLE.c.item == item, _TABLE.c.requester == requester))
        raise Refused(Code.FORBIDDEN if by_another else Code.NOT_FOUND)
    transaction.connection.execute(delete(_TABLE).where(this))
    transaction.append(ReleasesStarted(item=item, requester=requester, department=side.department, by=side.by))


def read_all(connection: Connection) -> Sequence[Stop]:
    """Everything that is stopped, the oldest first."""
    rows = connection.execute(select(_TABLE).order_by(_TABLE.c.stopped_at, _TABLE.c.item, _TABLE.c.requester))
    return [Stop(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for a row's mapping


def is_stopped(transaction: Transaction, item: str) -> bool:
    """Whether whoever operates the program has stopped it, for everybody."""
    return _is_stopped(transaction, _this(item, "", OPERATING))


def _this(item: str, requester: str, side: Side) -> ColumnElement[bool]:
    return and_(_TABLE.c.item == item, _TABLE.c.requester == requester, _TABLE.c.department == side.department)


def _is_stopped(transaction: Transaction, which: ColumnElement[bool]) -> bool:
    return transaction.connection.execute(select(_TABLE.c.item).where(which)).first() is not None
