"""How each department does, as its last answers showed; never about whom it was asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from connectors.breaker import State, Verdict
from connectors.contract import Answer
from connectors.course import OURS, Told
from connectors.hours import Outage
from connectors.memory import Quota
from connectors.pace import Pace
from connectors.trouble import UNREADABLE
from policies.vocabulary import Outcome

SLOW: Final = 0.5
"""Of the deadline: an answer that took longer was slow."""
_FAILED: Final = frozenset({Outcome.DEPARTMENT_DOWN, Outcome.TIMEOUT, Outcome.AUTH_FAILED, Outcome.QUOTA})


class RouteState(StrEnum):
    """How a route does, in one word; what its last answer showed, unless it is not asked at all now."""

    UNASKED = "unasked"
    WELL = "well"
    SLOW = "slow"
    REFUSING = "refusing"
    """The department is there and said no, to us or to this one question."""
    FAILING = "failing"
    """No answer, or none that could be read."""
    LEFT_ALONE = "left_alone"
    """Its breaker is open."""
    CLOSED = "closed"
    """Outside its hours, or in a planned outage."""


class Observed(msgspec.Struct, frozen=True):
    """One question to one route, for whoever counts."""

    department: str
    route: str
    call: str
    outcome: Outcome
    code: str
    """The department's own, or the name of our broken rule: impersonal, for operators."""
    seconds: float

    @property
    def asked(self) -> bool:
        """Whether the department was asked at all."""
        return self.code not in OURS

    @property
    def in_trouble(self) -> bool:
        return self.outcome is Outcome.GARBLED or self.outcome in _FAILED


Watch: TypeAlias = Callable[[Observed], None]


@dataclass(frozen=True, slots=True)
class RouteHealth:
    """How one route does now, as this process saw it."""

    department: str
    item: str
    route: str
    level: str
    state: RouteState
    last: Told | None
    """Also where nobody was asked."""
    well: Told | None
    failure: Told | None
    answers_at: datetime | None
    """When an answer will come, where that is known and not now."""
    breaker: State
    minute: Pace
    hour: Pace
    quotas: tuple[Quota, ...]
    outages: tuple[Outage, ...]
    """Planned, and not over."""


def verdict_of(answer: Answer) -> Verdict:
    """What an answer tells a breaker: a refusal of one question is none of the department's health."""
    if answer.raw_code in OURS:
        return Verdict.NOTHING
    unreadable = answer.outcome is Outcome.GARBLED and answer.raw_code in UNREADABLE
    return Verdict.FAILED if unreadable or answer.outcome in _FAILED else Verdict.WELL


def state_of(breaker: State, asked: Told | None, deadline: float, *, closed: bool) -> RouteState:
    """Return the one word. `asked` is the last answer that came of asking."""
    if closed:
        return RouteState.CLOSED
    if breaker is not State.CLOSED:
        return RouteState.LEFT_ALONE
    return RouteState.UNASKED if asked is None else _shown(asked, deadline)


def _shown(asked: Told, deadline: float) -> RouteState:
    if asked.broken:
        return RouteState.FAILING
    if asked.outcome is Outcome.CLOSED_HOURS:
        return RouteState.CLOSED
    if asked.refused:
        return RouteState.REFUSING
    return RouteState.SLOW if asked.seconds > deadline * SLOW else RouteState.WELL
