"""How many exchanges this process takes on at once, and how many of them may be one requester's or one department's.

An exchange holds a place from its verified signature to its answer. What comes beyond is refused at once and before it
costs anything: in a queue that only grows everybody would be answered too late.

 busy           every place is taken
 rate_limited   a requester may hold SHARE times as many places as are free: three quarters when it is alone, three
                sevenths beside one as busy, and whoever has none finds one (the dynamic thresholds of Choudhury and
                Hahne, 1998)
 crowded        no more than half of all places wait for one department; its items of the others are told so at once

Of those that hold a place AT_ONCE have their turn, in order of coming, until they have ended or their departments are
seen to be slow; the others cost nothing meanwhile. So a burst does not keep the event loop from refusing quickly.

Owned by one event loop.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from policies.refusals import Code, Refused

SHARE: Final = 3
"""Times the free places."""
AT_ONCE: Final = 12
"""Turns: enough for a commit to be shared, few enough for the event loop to come round in some milliseconds."""
QUICK: Final = 0.005
"""Seconds that a department has before the turn is somebody else's."""
LATE: Final = 0.01
"""Seconds by which a timer is late while the event loop is behind with its own work."""


class Places:
    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self.taken = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    def check(self, unverified_requester: str) -> None:
        """Raise Refused where this requester would find no place; the name of another one gains a liar nothing."""
        if self.taken >= self._most:
            raise Refused(Code.BUSY)
        if self._held[unverified_requester] >= SHARE * (self._most - self.taken):
            raise Refused(Code.RATE_LIMITED)

    @contextmanager
    def held_by(self, requester: str) -> Iterator["Place"]:
        """Hold a place for as long as the block lasts. Raises Refused(busy | rate_limited)."""
        self.check(requester)
        self.taken += 1
        self._held[requester] += 1
        place = Place(self, self._turns)
        try:
            yield place
        finally:
            place.end_turn()
            self.taken -= 1
            _take_one(self._held, requester)

    @contextmanager
    def asking(self, departments: Iterable[str]) -> Iterator[frozenset[str]]:
        """Wait for these departments; those given back are crowded, and not to be asked."""
        wanted = frozenset(departments)
        crowded = frozenset(one for one in wanted if 2 * self._waiting[one] >= self._most)
        self._waiting.update(wanted - crowded)
        try:
            yield crowded
        finally:
            for department in wanted - crowded:
                _take_one(self._waiting, department)


class Place:
    """One exchange's."""

    def __init__(self, places: Places, turns: asyncio.Semaphore) -> None:
        self._places = places
        self._turns = turns
        self._works = False

    async def turn(self) -> None:
        """Wait until it is this one's, in order of coming."""
        await self._turns.acquire()
        self._works = True

    def end_turn(self) -> None:
        if self._works:
            self._works = False
            self._turns.release()

    @contextmanager
    def asking(self, departments: Iterable[str]) -> Iterator[frozenset[str]]:
        """As of all places; while a department takes its time it is somebody else's turn."""
        self._look_later()
        try:
            with self._places.asking(departments) as crowded:
                yield crowded
        finally:
            self._look.cancel()

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(QUICK, self._rest, loop.time() + QUICK)

    def _rest(self, due: float) -> None:
        """End the turn, unless it is we who are late: then nothing says that the department is."""
        if asyncio.get_running_loop().time() - due > LATE:
            self._look_later()
        else:
            self.end_turn()


def _take_one(counted: Counter[str], name: str) -> None:
    """Nothing is kept of whom nothing is counted."""
    counted[name] -= 1
    if not counted[name]:
        del counted[name]
