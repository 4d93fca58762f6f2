"""Consents to exchange under. One that was refused has cost neither its use nor its token, so both are sent again."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from bench.failure import RunFailed
from bench.requester import Grant, PreparedRequester

FRESH: Final = 40.0
"""Seconds for which a signed request is sent again: it lives 60."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a consent, and the request for it once it is signed."""

    grant: Grant
    request: bytes = b""
    signed: float = 0.0


@dataclass(slots=True)
class Stock:
    """One requester's."""

    requester: PreparedRequester
    left: "deque[Use]" = field(default_factory=deque)

    @classmethod
    async def prepare(cls, requester: PreparedRequester, items: Sequence[str], wanted: int) -> Self:
        stock = cls(requester)
        await stock.add(items, wanted)
        return stock

    async def add(self, items: Sequence[str], wanted: int) -> None:
        """Have at least `wanted` uses."""
        uses = self.requester.uses
        granted = await self.requester.grant(items, max(1, wanted - len(self.left)), uses)
        for _ in range(uses):
            self.left.extend(map(Use, granted))

    def take(self) -> Use:
        """The next one, its request signed. Raises RunFailed where all are spent."""
        if not self.left:
            raise RunFailed("more was answered than was prepared for")
        use, now = self.left.popleft(), time.monotonic()
        if now - use.signed < FRESH and use.request:
            return use
        (request,) = self.requester.sign([use.grant], 1)
        return Use(use.grant, request, now)

    def give_back(self, use: Use) -> None:
        """It was refused; the next one is this."""
        self.left.appendleft(use)
