"""Exchanges over raw sockets: so many at once, or so many a second whatever becomes of those before."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.overload.stock import Stock

_STATUS: Final = slice(9, 12)
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n")
_RETRY: Final = re.compile(rb"(?i)\r\nretry-after: *[1-9]")
_LEFT_OUT: Final = (b'"department_down"', b'"timeout"')
OK: Final = 200
REFUSED: Final = frozenset({429, 503})
_Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
RESTS: Final = 20.0
"""Seconds after which a connection is not used again: the broker closes it after 30."""


@dataclass(frozen=True, slots=True)
class Answer:
    sent: float
    """Seconds since the load began."""
    seconds: float
    """From the first byte sent to the last received; a new connection is opened within."""
    late: float
    """Seconds after it was due: the load's own fault, which shares these cores."""
    status: int
    """0 where the connection broke."""
    says_when: bool
    """Whether it told when to come again."""

    @property
    def ended(self) -> float:
        return self.sent + self.seconds


@dataclass(slots=True)
class Driver:
    """One requester's side. `exchanged` counts what was answered, for the proof at the end."""

    port: int
    stock: Stock
    exchanged: int = 0
    left_out: int = 0
    """Of those, answers in which a department was not asked, or not waited for."""
    _resting: list[tuple[float, _Ends]] = field(default_factory=list)

    async def closed_loop(self, callers: int, seconds: float) -> list[Answer]:
        """So many callers, each asking again once it is answered."""
        answers: list[Answer] = []
        began = time.perf_counter()

        async def call() -> None:
            while time.perf_counter() - began < seconds:
                answers.append(await self._one(began, time.perf_counter()))

        await asyncio.gather(*(call() for _ in range(callers)))
        return answers

    async def open_loop(self, rate: float, seconds: float) -> list[Answer]:
        """So many a second, each on its time; all have been answered when this returns."""
        began, tasks = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(self._one(began, due)))
        return list(await asyncio.gather(*tasks))

    def close(self) -> None:
        for _, (_, writer) in self._resting:
            writer.close()

    async def _one(self, began: float, due: float) -> Answer:
        use = self.stock.take()
        sent = time.perf_counter()
        try:
            status, says_when = await self._ask(use.request)
        except (OSError, asyncio.IncompleteReadError):
            status, says_when = 0, False
        ended = time.perf_counter()
        if status == OK:
            self.exchanged += 1
        elif status in REFUSED:
            self.stock.give_back(use)
        return Answer(sent - began, ended - sent, sent - due, status, says_when)

    async def _ask(self, request: bytes) -> tuple[int, bool]:
        reader, writer = ends = await self._connection()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length is not None else 0)
        self.left_out += any(outcome in body for outcome in _LEFT_OUT)
        self._resting.append((time.monotonic(), ends))
        return int(head[_STATUS]), _RETRY.search(head) is not None

    async def _connection(self) -> _Ends:
        while self._resting:
            since, ends = self._resting.pop()
            if time.monotonic() - since < RESTS:
                return ends
            ends[1].close()
        return await asyncio.open_connection("127.0.0.1", self.port)


def percentile(seconds: Sequence[float], part: float) -> float:
    """0 where there are none."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
