"""How often a route was asked lately and how long its answers took: counts by slots of time, never a list of calls."""

import math
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

STEP: Final = 1.2
"""Each class of times ends where it is a fifth longer than it began: what is told is true to within a tenth."""
SHORTEST: Final = 0.001
CLASSES: Final = 64
"""From a millisecond to two minutes; what took longer is in the last."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What one stretch of time showed."""

    asked: int
    failed: int
    """Asked and not answered: refused, unreachable, too late, or unreadable."""
    p50: float | None
    """Seconds within which half of the answers came; None where none came."""
    p95: float | None


@dataclass(slots=True)
class _Slot:
    number: int
    asked: int = 0
    times: "array[int]" = field(default_factory=lambda: array("I", [0] * CLASSES))


class Lately:
    """The last `seconds`, in so many slots; the oldest is forgotten as a whole. Owned by one event loop."""

    def __init__(self, seconds: float, slots: int, clock: Callable[[], float]) -> None:
        self._each = seconds / slots
        self._slots: deque[_Slot] = deque(maxlen=slots)
        self._most = slots
        self._clock = clock

    def note(self, answered: float | None) -> None:
        """Count one question: the seconds until its answer, or None where no answer of use came."""
        number = self._number()
        if not self._slots or self._slots[-1].number != number:
            self._slots.append(_Slot(number))
        slot = self._slots[-1]
        slot.asked += 1
        if answered is not None:
            slot.times[_class_of(answered)] += 1

    def pace(self) -> Pace:
        """Return what is known of the stretch that ends now."""
        counted = [slot for slot in self._slots if slot.number > self._number() - self._most]
        asked = sum(slot.asked for slot in counted)
        times = [sum(column) for column in zip(*(slot.times for slot in counted), strict=True)]
        return Pace(asked, asked - sum(times), _within(times, 0.5), _within(times, 0.95))

    def _number(self) -> int:
        return int(self._clock() // self._each)


def _class_of(seconds: float) -> int:
    place = math.log(max(seconds, SHORTEST) / SHORTEST, STEP)
    return min(CLASSES - 1, int(place))


def _within(times: list[int], part: float) -> float | None:
    """The middle of the class in which this part of all answers is reached."""
    total = sum(times)
    if not total:
        return None
    reached = next(place for place, so_far in enumerate(accumulate(times)) if so_far >= part * total)
    return float(SHORTEST * STEP ** (reached + 0.5))
