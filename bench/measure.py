"""The order of a run: for every case a hello, then exchanges, in the same process, as many times as asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from bench.load import Window, drive
from bench.processes import Processes
from bench.proof import verify_answers
from bench.requester import PreparedRequester
from bench.server import HELLO

HELLO_SHARE: Final = 0.5
"""Of an exchange window's seconds."""
WARMING: Final = 48
"""Exchanges of each case before anything counts; they also tell how many a window needs."""
MOST: Final = 2400
"""Exchanges of one window, lest preparing them take longer than measuring."""
CALLERS: Final = (1, 16)
BUNDLES: Final = (
    ("real_estate_registration",),
    ("real_estate_registration", "marriage_check_single", "hpf_remote_account"),
    ("real_estate_registration", "deed_tax", "marriage_check_single", "hpf_remote_account"),
)


@dataclass(frozen=True, slots=True)
class Case:
    items: tuple[str, ...]
    callers: int


CASES: Final = tuple(Case(items, callers) for items in BUNDLES for callers in CALLERS)


@dataclass(frozen=True, slots=True)
class Repeat:
    """One case once: the hello, and the exchanges right after it."""

    case: Case
    hello: Window
    exchange: Window


@dataclass(slots=True)
class Bench:
    """The load on one running broker. `answers` counts every exchange that was answered, warming included."""

    processes: Processes
    requester: PreparedRequester
    seconds: float
    answers: int = 0

    async def run(self, repeats: int, tell: Callable[[str], None]) -> list[Repeat]:
        """Every case `repeats` times. Raises RunFailed."""
        tell("warming up")
        rates = {case: (await self._exchanges(case, WARMING)).rate for case in CASES}
        measured: list[Repeat] = []
        for number in range(repeats):
            for case in CASES:
                tell(f"repeat {number + 1} of {repeats}: items {len(case.items)}, callers {case.callers}")
                measured.append(await self._repeat(case, rates[case]))
                rates[case] = measured[-1].exchange.rate
        return measured

    async def _repeat(self, case: Case, rate: float) -> Repeat:
        requests = await self.requester.prepare(case.items, min(MOST, int(rate * self.seconds)))
        hello = await drive(self.processes, self._hellos(), case.callers)
        return Repeat(case, hello, await self._drive(case, requests))

    async def _exchanges(self, case: Case, wanted: int) -> Window:
        return await self._drive(case, await self.requester.prepare(case.items, wanted))

    async def _drive(self, case: Case, requests: list[bytes]) -> Window:
        window = await drive(self.processes, iter(requests), case.callers)
        verify_answers(window.answers, len(case.items), self.processes.vkey)
        self.answers += len(window.answers)
        return window

    def _hellos(self) -> Iterator[bytes]:
        request = f"GET {HELLO} HTTP/1.1\r\nHost: 127.0.0.1:{self.processes.port}\r\n\r\n".encode()
        end = perf_counter() + self.seconds * HELLO_SHARE
        while perf_counter() < end:
            yield request
