"""What goes wrong in each minute: one process is killed, one department fails for a while, some people withdraw."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectors.departments.fleet import NAMES, Fleet
from tests.soak.brokers import Brokers
from tests.soak.lanes import Lane

FAULTS: Final = ("down", "500", "slow", "hang", "garbled", "html", "truncated", "wrong_person", "no_record")
STRAIGHT: Final = {"property_registry": ("slow", 0.15)}
"""What a department does between its faults, where that is not `none`: an exchange takes long enough to be cut."""
WITHDRAWALS: Final = 3
"""Moments in a minute at which some people withdraw."""
LASTING: Final = 1 / 4
"""Of a minute, at most."""


@dataclass
class Troubles:
    brokers: Brokers
    fleet: Fleet
    lanes: Sequence[Lane]
    chance: random.Random
    minute: float = 60.0
    """Seconds."""
    counted: Counter[str] = field(default_factory=Counter)

    async def one_minute(self) -> None:
        """All of it, each at a moment of its own."""
        each: tuple[Callable[[], Awaitable[None]], ...] = (self._kill, self._fault, *[self._withdraw] * WITHDRAWALS)
        ends = asyncio.create_task(asyncio.sleep(self.minute))
        await asyncio.gather(*(self._sometime(trouble) for trouble in each))
        await ends

    async def _sometime(self, trouble: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(self.chance.uniform(0, self.minute * (1 - 2 * LASTING)))
        await trouble()

    async def _kill(self) -> None:
        await self.brokers.kill_one()
        self.counted["killed"] += 1

    async def _fault(self) -> None:
        name, fault = self.chance.choice(NAMES), self.chance.choice(FAULTS)
        await asyncio.to_thread(self.fleet.set_fault, name, fault)
        self.counted[f"{fault} {name}"] += 1
        await asyncio.sleep(self.chance.uniform(0, self.minute * LASTING))
        await self.straighten(name)

    async def straighten(self, *names: str) -> None:
        for name in names:
            fault, seconds = STRAIGHT.get(name, ("none", 0.0))
            await asyncio.to_thread(self.fleet.set_fault, name, fault, seconds)

    async def _withdraw(self) -> None:
        some = self.chance.sample(self.lanes, k=max(1, len(self.lanes) // 2))
        await asyncio.gather(*(lane.withdraw() for lane in some))
