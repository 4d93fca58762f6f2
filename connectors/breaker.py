"""A breaker: after too many failures a department is left alone for a while, then tried by one question alone.

closed      everything is asked; the last `of` verdicts are remembered
  -> open         as soon as `failures` of them failed
open        nothing is asked until `open_seconds` have passed
  -> half-open    at the first question after that
half-open   one question, the probe, is asked; every other is refused while it is under way
  -> closed       it went well; nothing is remembered of before
  -> open         it failed
  stays           it told nothing (its caller went away): the next question is the probe
A verdict of a question that was let in before the last change of state counts no more.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Verdict(StrEnum):
    """What one question showed of the department's health."""

    WELL = "well"
    FAILED = "failed"
    NOTHING = "nothing"


class BreakerLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When to leave a department alone, and for how long."""

    failures: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    of: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    open_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 10


class Permit(msgspec.Struct, frozen=True):
    """One question that was let in. Whoever holds it hands it back, once, with a verdict."""

    era: int
    probe: bool


class Breaker:
    """One route's, in one process. Owned by the event loop; times are a monotonic clock's seconds."""

    def __init__(self, limits: BreakerLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._state = State.CLOSED
        self._era = 0  # counts the changes of state
        self._failed: deque[bool] = deque(maxlen=limits.of)
        self._opened = 0.0
        self._probing = False

    @property
    def state(self) -> State:
        """Return how it stands now; an open one whose time has passed is half-open."""
        return State.HALF_OPEN if self._state is State.OPEN and not self.wait else self._state

    @property
    def wait(self) -> float:
        """In how many seconds a question may be let in again; 0 where that is not a matter of time."""
        if self._state is not State.OPEN:
            return 0.0
        return max(0.0, self._opened + self._limits.open_seconds - self._clock())

    def enter(self) -> Permit | None:
        """Let a question in, or not."""
        if self._state is State.OPEN and not self.wait:
            self._turn(State.HALF_OPEN)
        if self._state is State.CLOSED:
            return Permit(self._era, probe=False)
        if self._state is State.OPEN or self._probing:
            return None
        self._probing = True
        return Permit(self._era, probe=True)

    def leave(self, permit: Permit, verdict: Verdict) -> None:
        """Hand a permit back."""
        if permit.era != self._era:
            return
        if permit.probe:
            self._probing = False
            if verdict is not Verdict.NOTHING:
                self._turn(State.CLOSED if verdict is Verdict.WELL else State.OPEN)
        elif verdict is not Verdict.NOTHING:
            self._failed.append(verdict is Verdict.FAILED)
            if sum(self._failed) >= self._limits.failures:
                self._turn(State.OPEN)

    def _turn(self, state: State) -> None:
        self._state = state
        self._era += 1
        self._probing = False
        self._failed.clear()
        if state is State.OPEN:
            self._opened = self._clock()
