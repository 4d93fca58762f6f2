"""What one route has shown so far in one process: by outcome, code and time. What an answer said is not kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from connectors.contract import Answer
from connectors.pace import Lately
from policies.vocabulary import Outcome

OURS: Final = frozenset({"breaker_open", "closed", "memory", "own_quota"})
"""Codes of answers for which nobody was asked."""
REFUSED: Final = frozenset(
    {Outcome.AUTH_FAILED, Outcome.QUOTA, Outcome.DENIED_BY_DEPARTMENT, Outcome.BAD_REQUEST, Outcome.CLOSED_HOURS}
)
"""The department is there, and said no."""
BROKEN: Final = frozenset({Outcome.DEPARTMENT_DOWN, Outcome.TIMEOUT, Outcome.GARBLED})


class Told(msgspec.Struct, frozen=True):
    """One answer, without what it said."""

    outcome: Outcome
    code: str
    """The department's own, or the name of our broken rule: impersonal, for operators."""
    at: datetime
    seconds: float
    """How long it took to come."""
    retry_at: datetime | None

    @property
    def asked(self) -> bool:
        """Whether the department was asked at all."""
        return self.code not in OURS

    @property
    def refused(self) -> bool:
        return self.outcome in REFUSED

    @property
    def broken(self) -> bool:
        return self.outcome in BROKEN


@dataclass(slots=True)
class Course:
    """Owned by one event loop; some thirty kilobytes at most, however much is asked."""

    clock: Callable[[], float] = time.monotonic
    last: Told | None = None
    """Also where nobody was asked."""
    asked: Told | None = None
    """The last that came of asking."""
    well: Told | None = None
    failure: Told | None = None
    minute: Lately = field(init=False)
    hour: Lately = field(init=False)

    def __post_init__(self) -> None:
        self.minute = Lately(60, 12, self.clock)
        self.hour = Lately(3600, 60, self.clock)

    def note(self, answer: Answer, at: datetime, seconds: float) -> None:
        """Remember how an answer came."""
        told = self.last = Told(answer.outcome, answer.raw_code, at, seconds, answer.retry_at)
        if not told.asked:
            return
        failed = told.refused or told.broken
        self.asked = told
        if failed:
            self.failure = told
        else:
            self.well = told
        for lately in (self.minute, self.hour):
            lately.note(None if failed else seconds)
