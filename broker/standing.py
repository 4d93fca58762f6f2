"""What stands at this moment: the one function that admission and release both ask, inside their own transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from audit.seals import TIMESTAMP, newest_time
from broker import requesters, tables
from consent import grants
from consent.grants import Granted
from policies.refusals import Code, Refusal, TokenRole

_STOPPED: Final = select(tables.stop.c.item)
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
    stopped: frozenset[str]
    """Items that may not be released now."""
    granted: Mapping[str, Granted]
    """Per party, the grant as it is now."""

    def refusal(self, party: str, item: str) -> Refusal | None:
        """Why this item of this person may not be released, or None."""
        if self.general is not None:
            return self.general
        if party in self.parties:
            return self.parties[party]
        return Refusal(Code.RELEASES_STOPPED) if item in self.stopped else None

    def first_refusal(self, lines: Iterable[tuple[str, str]]) -> Refusal | None:
        """The first reason among (party, item) pairs, for a call that needs all of them to stand."""
        return next((why for party, item in lines if (why := self.refusal(party, item)) is not None), None)


def standing(connection: Connection, caller: Caller, *, now: float, stop_after: int) -> Standing:
    """What stands at `now` (seconds since 1970) for this requester's key and these consents.

    `stop_after` is after how many seconds without a time stamp of the log nothing is released; 0 for never.
    """
    stopped = frozenset(connection.execute(_STOPPED).scalars())
    granted = {party: _grant(connection, *consent) for party, consent in caller.consents.items()}
    refused = {party: why for party, grant in granted.items() if (why := _refusal(grant, now)) is not None}
    return Standing(
        general=_general(connection, caller, stopped) or unstamped(connection, now, stop_after),
        parties=refused,
        stopped=stopped,
        granted={party: grant for party, grant in granted.items() if grant is not None},
    )


def _general(connection: Connection, caller: Caller, stopped: frozenset[str]) -> Refusal | None:
    may = requesters.may_call(connection, caller.requester, caller.kid)
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


def _grant(connection: Connection, iss: str, jti: str) -> Granted | None:
    return grants.find_granted(connection, iss, jti)


def _refusal(granted: Granted | None, now: float) -> Refusal | None:
    return granted.refusal(now) if granted is not None else Refusal(Code.CONSENT_UNKNOWN, TokenRole.CONSENT)


def used_up(granted: Sequence[Granted]) -> Refusal | None:
    """Why a new use cannot be taken from every one of these, or None."""
    spent = any(grant.left <= 0 for grant in granted)
    return Refusal(Code.CONSENT_USED_UP, TokenRole.CONSENT) if spent else None
