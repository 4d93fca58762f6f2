"""The order of a run: for every case a hello, then exchanges, in the same process, as many times as asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from bench.cases import Case
from bench.load import Window, drive
from bench.processes import Processes
from bench.proof import ANSWERED, LATE, verify_answers
from bench.requester import PreparedRequester
from bench.server import HELLO

HELLO_SHARE: Final = 0.5
"""Of an exchange window's seconds."""
MOST: Final = 2400
"""Exchanges of one window, lest preparing them take longer than measuring."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """One case once: the hello, and the exchanges right after it."""

    number: int
    case: Case
    hello: Window
    exchange: Window


@dataclass(slots=True)
class Broker:
    """One running broker and who asks it. `answers` counts every exchange that was answered, warming included."""

    processes: Processes
    requester: PreparedRequester
    answers: int = 0


@dataclass(frozen=True, slots=True)
class Bench:
    """The load on the running brokers of one ground."""

    brokers: Mapping[str, Broker]
    seconds: float

    async def run(self, cases: Sequence[Case], repeats: int, tell: Callable[[str], None]) -> list[Repeat]:
        """Every case `repeats` times. Raises RunFailed."""
        tell("warming up")
        rates = {case: (await self._warm(case)).rate for case in cases}
        measured: list[Repeat] = []
        for number in range(repeats):
            for case in cases:
                tell(f"repeat {number + 1} of {repeats}: items {case.name}, callers {case.callers}")
                measured.append(await self._repeat(number, case, rates[case]))
                rates[case] = measured[-1].exchange.rate
        return measured

    async def _repeat(self, number: int, case: Case, rate: float) -> Repeat:
        broker = self.brokers[case.broker]
        requests = await broker.requester.prepare(case.items, window_of(rate, self.seconds))
        hello = await drive(broker.processes, hellos(broker.processes, self.seconds * HELLO_SHARE), case.callers)
        return Repeat(number, case, hello, await self._drive(case, requests))

    async def _warm(self, case: Case) -> Window:
        """Exchanges before anything counts; they also tell how many a window needs."""
        requester = self.brokers[case.broker].requester
        return await self._drive(case, await requester.prepare(case.items, requester.fewest))

    async def _drive(self, case: Case, requests: list[bytes]) -> Window:
        broker = self.brokers[case.broker]
        window = await drive(broker.processes, iter(requests), case.callers, case.status)
        outcomes = LATE if case.late else ANSWERED
        verify_answers(window.answers, len(case.items), broker.processes.vkey, outcomes)
        broker.answers += len(window.answers)
        return window


def hellos(processes: Processes, seconds: float) -> Iterator[bytes]:
    """Requests until so many seconds are over."""
    request = f"GET {HELLO} HTTP/1.1\r\nHost: 127.0.0.1:{processes.ports[0]}\r\n\r\n".encode()
    end = perf_counter() + seconds
    while perf_counter() < end:
        yield request


def window_of(rate: float, seconds: float) -> int:
    """Exchanges that a window of so many seconds holds; at least one, however busy the machine was."""
    return max(1, min(MOST, int(rate * seconds)))
