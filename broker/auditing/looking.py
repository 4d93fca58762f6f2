"""Every look into the log is an entry of it, written before anything is shown."""

from collections.abc import Mapping, Sequence
from typing import Final

from audit.batch import Transaction
from audit.staff_events import StaffLooked
from broker.staff.people import Member
from broker.storage import Storage
from policies.identifiers import read_label
from policies.refusals import Code, Refused

REASON_LIMIT: Final = 200
"""Characters."""
REASON_LEAST: Final = 4


def read_reason(text: str) -> str:
    """Why somebody wants to see it, in words. Raises Refused(invalid_request) also where it could hold a number."""
    try:
        reason = read_label(text.strip(), REASON_LIMIT)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="reason") from error
    if len(reason) < REASON_LEAST:
        raise Refused(Code.INVALID_REQUEST, member="reason")
    return reason


async def look(
    storage: Storage,
    by: Member,
    what: str,
    *,
    filters: Mapping[str, str] | None = None,
    entries: int = 0,
    reason: str = "",
    people: Sequence[str] = (),
) -> None:
    """Record that this member looks; of `people`, by reference, each one's is found under her."""

    def work(transaction: Transaction) -> None:
        note(transaction, by, what, filters=filters, entries=entries, reason=reason, people=people)

    await storage.record(work)


def note(
    transaction: Transaction,
    by: Member,
    what: str,
    *,
    filters: Mapping[str, str] | None = None,
    entries: int = 0,
    reason: str = "",
    people: Sequence[str] = (),
) -> None:
    """As `look`, in a unit of work that does more."""
    for subject_ref in dict.fromkeys(people or [""]):
        transaction.append(
            StaffLooked(
                number=by.number,
                role=by.role,
                what=what,
                subject_ref=subject_ref,
                filters=dict(filters or {}),
                entries=entries,
                reason=reason,
            )
        )
