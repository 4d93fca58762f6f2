"""What connectors must remember beyond one question and one process. The broker keeps it; they see only this.

Every method is durable and seen by all processes when it returns, and is one atomic step among all of them. `name`
is at most 80 characters and never tells of a person. Where nothing can be kept a method raises DepartmentError
(`department_down`, code `memory`): without its memory a connector asks nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Held:
    """One remembered text, and whether somebody is renewing it now."""

    text: str = field(repr=False)
    """Empty where nothing is remembered."""
    claimed: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so many calls in each window of so many seconds, counted from 1970 in China standard time."""

    seconds: int
    most: int


class Memory(Protocol):
    """Texts that are renewed by one process at a time, quotas, and numbers."""

    async def read(self, name: str) -> Held:
        """Return what is remembered under this name."""

    async def claim(self, name: str, holder: str, seconds: float) -> str | None:
        """Claim the renewal for so long. Return the text remembered at that moment; None while another holds it."""

    async def keep(self, name: str, holder: str, text: str) -> bool:
        """Remember the text and give the claim up. False, and nothing changed, where the claim is no longer held."""

    async def give_up(self, name: str, holder: str) -> None:
        """Give the claim up without anything new, if it is still held."""

    async def take(self, name: str, quotas: Sequence[Quota]) -> float:
        """Count one call in every window and return 0; or count it in none and return the seconds until it may be."""

    async def number(self, route: str, day: str) -> int:
        """The next number of this route's day (YYYYMMDD), from 1 on; one may be lost, but is never given again."""


def quota_name(route: str) -> str:
    """The name under which a route's calls are counted."""
    return f"quota/{route}"


CHINA_OFFSET = 8 * 3600


def window_start(seconds: float, quota: Quota) -> int:
    """Return when the window that holds this moment began; days begin at midnight in China."""
    shifted = int(seconds) + CHINA_OFFSET
    return shifted - shifted % quota.seconds - CHINA_OFFSET


class OwnMemory:
    """The memory of one process alone: for checks, dry runs and tests. Nothing outlives it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._texts: dict[str, str] = {}
        self._claims: dict[str, tuple[str, float]] = {}
        self._counts: dict[tuple[str, int], tuple[int, int]] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    async def read(self, name: str) -> Held:
        return Held(self._texts.get(name, ""), self._holder(name) != "")

    async def claim(self, name: str, holder: str, seconds: float) -> str | None:
        if self._holder(name) not in {"", holder}:
            return None
        self._claims[name] = (holder, self._now() + seconds)
        return self._texts.get(name, "")

    async def keep(self, name: str, holder: str, text: str) -> bool:
        if self._holder(name) != holder:
            return False
        del self._claims[name]
        self._texts[name] = text
        return True

    async def give_up(self, name: str, holder: str) -> None:
        if self._holder(name) == holder:
            del self._claims[name]

    async def take(self, name: str, quotas: Sequence[Quota]) -> float:
        now = self._now()
        counted = {}
        for quota in quotas:
            start = window_start(now, quota)
            began, used = self._counts.get((name, quota.seconds), (start, 0))
            used = used if began == start else 0
            if used >= quota.most:
                return max(1.0, start + quota.seconds - now)
            counted[(name, quota.seconds)] = (start, used + 1)
        self._counts.update(counted)
        return 0

    async def number(self, route: str, day: str) -> int:
        self._numbers[(route, day)] = self._numbers.get((route, day), 0) + 1
        return self._numbers[(route, day)]

    def _holder(self, name: str) -> str:
        holder, until = self._claims.get(name, ("", 0.0))
        return holder if until > self._now() else ""
