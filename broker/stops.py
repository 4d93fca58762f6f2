"""What may not be released now: everything, or one item. Bites at the next admission and at every release under way."""

from sqlalchemy import delete, insert, select

from audit.batch import Transaction
from audit.events import ReleasesStarted, ReleasesStopped
from broker import tables
from policies.refusals import Code, Refused


def stop_releases(transaction: Transaction, item: str, reason: str) -> None:
    """Stop one item, or everything under the empty name. Raises Refused(already_decided) where it is stopped."""
    if _is_stopped(transaction, item):
        raise Refused(Code.ALREADY_DECIDED)
    transaction.connection.execute(
        insert(tables.stop).values(item=item, reason=reason, stopped_at=transaction.time // 1_000_000)
    )
    transaction.append(ReleasesStopped(item=item, reason=reason))


def start_releases(transaction: Transaction, item: str) -> None:
    """Lift a stop. Raises Refused(not_found) where there is none."""
    if not _is_stopped(transaction, item):
        raise Refused(Code.NOT_FOUND)
    transaction.connection.execute(delete(tables.stop).where(tables.stop.c.item == item))
    transaction.append(ReleasesStarted(item=item))


def _is_stopped(transaction: Transaction, item: str) -> bool:
    found = select(tables.stop.c.item).where(tables.stop.c.item == item)
    return transaction.connection.execute(found).one_or_none() is not None
