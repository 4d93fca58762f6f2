"""What stands at this moment: the one function that admission and release both ask, inside their own transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from audit.batch import Transaction
from audit.prepared import Prepared
from audit.seals import TIMESTAMP, newest_time
from broker import requesters, tables
from consent import grants
from consent.grants import Granted
from policies.refusals import Code, Refusal, TokenRole

_STOPPED: Final = Prepared(
    select(tables.stop.c.item, tables.stop.c.requester, tables.stop.c.department).where(
        tables.stop.c.requester.in_(["", bindparam("requester")])
    )
)
EVERYTHING: Final = ""
"""The name under which all releases are stopped."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who wants something released, and under which consents (party: `iss`, `jti`)."""

    requester: str
    kid: str
    consents: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Read and used within one transaction; never kept."""

    general: Refusal | None
    """Why nothing of this requester is released at all."""
    parties: Mapping[str, Refusal]
    """Per party whose consent no longer stands: why."""
    stopped: Mapping[str, str]
    """By item that may not be released now, which side has stopped it: a word of plain_words.STOPPED."""
    granted: Mapping[str, Granted]
    """Per party, the grant as it is now."""

    def refusal(self, item: str, concerned: Iterable[str]) -> Refusal | None:
        """Why this item may not be released, or None: every party concerned must stand."""
        if self.general is not None:
            return self.general
        for party in sorted(concerned):
            if party in self.parties:
                return self.parties[party]
        if item not in self.stopped:
            return None
        return Refusal(Code.RELEASES_STOPPED, member=item, stopped=(f"{item}:{self.stopped[item]}",))


def foremost(refusals: Iterable[Refusal | None]) -> Refusal | None:
    """Why items are refused, in one: the first reason; of a stop every item, so that all can be left out at once."""
    found = [one for one in refusals if one is not None]
    if not found or found[0].code is not Code.RELEASES_STOPPED:
        return found[0] if found else None
    items = dict.fromkeys(one.member for one in found if one.member)
    stopped = dict.fromkeys(which for one in found for which in one.stopped)
    return Refusal(Code.RELEASES_STOPPED, member=", ".join(items), stopped=tuple(stopped))


def because(refusal: Refusal) -> str:
    """In one word why an item does not leave: of a stop which side it is, else the code."""
    return refusal.stopped[0].partition(":")[2] if refusal.stopped else str(refusal.code)


def standing(
    transaction: Transaction,
    caller: Caller,
    *,
    now: float,
    stop_after: int,
    granted: Mapping[str, Granted | None] | None = None,
) -> Standing:
    """What stands at `now` (seconds since 1970) for this requester's key and these consents.

    `stop_after` is after how many seconds without a time stamp of the log nothing is released; 0 for never. `granted`
    are the parties' grants where this transaction has read them before.
    """
    connection = transaction.connection
    stopped = transaction.once(("stops", caller.requester), lambda _: _stopped(connection, caller.requester))
    if granted is None:
        granted = {party: grants.find_granted(connection, *consent) for party, consent in caller.consents.items()}
    refused = {party: why for party, grant in granted.items() if (why := _refusal(grant, now)) is not None}
    return Standing(
        general=_general(transaction, caller, stopped) or unstamped(connection, now, stop_after),
        parties=refused,
        stopped=stopped,
        granted={party: grant for party, grant in granted.items() if grant is not None},
    )


def _stopped(connection: Connection, requester: str) -> Mapping[str, str]:
    """The widest stop of an item counts: what nobody gets is not told as a stop for this requester."""
    rows = _STOPPED.all(connection, requester=requester)
    sides = {True: "stopped_by_department", False: "stopped_by_operator"}
    narrow_first = sorted(rows, key=lambda row: (not row.requester, not row.department))
    return {row.item: sides[bool(row.department)] + ("_for_requester" if row.requester else "") for row in narrow_first}


def _general(transaction: Transaction, caller: Caller, stopped: Mapping[str, str]) -> Refusal | None:
    may = transaction.once(
        ("caller", caller.requester, caller.kid),
        lambda connection: requesters.may_call(connection, caller.requester, caller.kid),
    )
    if isinstance(may, Refusal):
        return may
    return Refusal(Code.RELEASES_STOPPED) if EVERYTHING in stopped else None


def unstamped(connection: Connection, now: float, stop_after: int) -> Refusal | None:
    """Why nothing is released where the log has no fresh time stamp, or None; `stop_after` as in `standing`."""
    if not stop_after:
        return None
    newest = newest_time(connection, TIMESTAMP)
    fresh = newest is not None and newest / 1_000_000 >= now - stop_after
    return None if fresh else Refusal(Code.RELEASES_STOPPED)


def _refusal(granted: Granted | None, now: float) -> Refusal | None:
    return granted.refusal(now) if granted is not None else Refusal(Code.CONSENT_UNKNOWN, TokenRole.CONSENT)


def used_up(granted: Sequence[Granted]) -> Refusal | None:
    """Why a new use cannot be taken from every one of these, or None."""
    spent = any(grant.left <= 0 for grant in granted)
    return Refusal(Code.CONSENT_USED_UP, TokenRole.CONSENT) if spent else None
