"""The order of a run: in every repeat, for every row a hello, then the plain program and ours with the same bytes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from bench.beside.rows import Row, Setup
from bench.beside.world import Sides, World
from bench.failure import RunFailed
from bench.load import Window, drive
from bench.measure import HELLO_SHARE, hellos, window_of
from bench.plain.proof import verify_answers as verify_plain
from bench.plain.proof import verify_same
from bench.proof import verify_answers
from bench.requester import NAME, Grant, PreparedRequester

CALLERS: Final = 48
"""Fewer than the places that a department has for one of our processes."""

TOLD_AT_ONCE: Final = 200
"""Consents: thousands in one request are more than a server should take."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """One row once."""

    number: int
    row: Row
    hello: Window
    plain: Window
    ours: Window
    plain_memory: int
    our_memory: int
    """Resident bytes, right after."""


@dataclass(slots=True)
class Pair:
    """The two programs of one setup and who asks both; the numbers count every answer, warming included."""

    sides: Sides
    requester: PreparedRequester
    http: aiohttp.ClientSession
    our_answers: int = 0
    plain_answers: int = 0

    @classmethod
    async def register(cls, sides: Sides, phones: int, stack: AsyncExitStack) -> "Pair":
        """One requester, known to both."""
        requester = await PreparedRequester.register(sides.ours.folder, phones, stack)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        pair = cls(sides, requester, http)
        key = requester.client.key.public
        await pair._tell("/keys", {"kid": key.kid, "owner": NAME, "jwk": dict(key.jwk)})
        return pair

    async def prepare(self, row: Row, wanted: int) -> list[bytes]:
        """At least so many requests that both programs will take, each of them once."""
        grants = await self.requester.grant(row.asked, wanted, row.uses)
        for some in range(0, len(grants), TOLD_AT_ONCE):
            await self._tell("/consents", list(map(_told, grants[some : some + TOLD_AT_ONCE])))
        return self.requester.sign(grants, row.uses)

    async def drive_ours(self, row: Row, requests: Iterable[bytes]) -> Window:
        window = await drive(self.sides.ours, iter(requests), CALLERS)
        self.count_ours(row, window.answers)
        return window

    def count_ours(self, row: Row, answers: Sequence[bytes]) -> None:
        """Verify and count what ours answered. Raises RunFailed."""
        verify_answers(answers, row.items, self.sides.ours.vkey)
        self.our_answers += len(answers)

    async def drive_plain(self, row: Row, requests: Iterable[bytes]) -> Window:
        window = await drive(self.sides.plain, iter(requests), CALLERS)
        verify_plain(window.answers, row.items)
        self.plain_answers += len(window.answers)
        return window

    async def hello(self, seconds: float) -> Window:
        return await drive(self.sides.ours, hellos(self.sides.ours, seconds), CALLERS)

    async def _tell(self, path: str, members: Any) -> None:
        async with self.http.post(f"http://127.0.0.1:{self.sides.plain.ports[0]}{path}", json=members) as response:
            if response.status != 204:
                raise RunFailed(f"preparing the plain program was refused: {response.status}")


def _told(grant: Grant) -> dict[str, Any]:
    key = grant.phone.key.public
    person = {"name": grant.phone.person.name, "id_number": grant.phone.person.id_number}
    return {"consent": grant.consent, "kid": key.kid, "jwk": dict(key.jwk), **person}


@dataclass(frozen=True, slots=True)
class Load:
    """The load on all setups."""

    world: World
    pairs: Mapping[Setup, Pair]
    seconds: float
    rates: dict[Row, tuple[float, float]] = field(default_factory=dict)
    """Of ours and of the plain program, when they were last seen."""

    async def run(self, rows: Sequence[Row], repeats: int, tell: Callable[[str], None]) -> list[Repeat]:
        """Every row `repeats` times, all rows in each repeat, there and back again. Raises RunFailed."""
        tell("warming up")
        for row in rows:
            await self._warm(row)
        measured: list[Repeat] = []
        for number in range(repeats):
            for row in rows[:: -1 if number % 2 else 1]:
                tell(f"repeat {number + 1} of {repeats}: {', '.join(row.words())}")
                measured.append(await self._repeat(number, row))
        return measured

    async def _warm(self, row: Row) -> None:
        pair = self.pairs[row.setup]
        requests = await pair.prepare(row, 1)
        with self.world.departments.delayed(row.delay_ms):
            ours, plain = await pair.drive_ours(row, requests), await pair.drive_plain(row, requests)
        verify_same(ours.answers, plain.answers)
        self.rates[row] = ours.rate, plain.rate

    async def _repeat(self, number: int, row: Row) -> Repeat:
        pair = self.pairs[row.setup]
        of_ours, of_plain = (window_of(rate, self.seconds) for rate in self.rates[row])
        requests = await pair.prepare(row, max(of_ours, of_plain))
        hello = await pair.hello(self.seconds * HELLO_SHARE)
        with self.world.departments.delayed(row.delay_ms):
            if number % 2:  # whoever comes second finds the departments warm
                ours = await pair.drive_ours(row, requests[:of_ours])
                plain = await pair.drive_plain(row, requests[:of_plain])
            else:
                plain = await pair.drive_plain(row, requests[:of_plain])
                ours = await pair.drive_ours(row, requests[:of_ours])
        verify_same(ours.answers, plain.answers)
        self.rates[row] = ours.rate, plain.rate
        return Repeat(number, row, hello, plain, ours, pair.sides.plain.memory(), pair.sides.ours.memory())
