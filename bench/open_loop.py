"""Open-loop load: what is due is sent when it is due, whether or not the last answer has come, and timed from then."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.failure import RunFailed
from bench.load import ask

Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Due:
    """What one caller sends at once, by port; it has its answer when all have come."""

    after: float
    """Seconds after the start."""
    requests: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """What came of one kind of call."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from when each was due."""
    answers: list[list[bytes]] = field(default_factory=list)


class OpenLoop:
    """The connections, and what is under way."""

    def __init__(self) -> None:
        self._opened: list[Ends] = []
        self._idle: defaultdict[int, list[Ends]] = defaultdict(list)
        """By port."""

    async def run(self, flows: Iterable[tuple[Flow, Sequence[Due]]]) -> None:
        """Send everything; returns when all is answered. Raises RunFailed."""
        every = sorted(((due.after, due, flow) for flow, some in flows for due in some), key=lambda one: one[0])
        began = time.perf_counter() + 0.05
        try:
            async with asyncio.TaskGroup() as group:
                for after, due, flow in every:
                    await _until(began + after)
                    group.create_task(self._send(due, began + after, flow))
        except* (OSError, asyncio.IncompleteReadError) as errors:
            raise RunFailed("a server closed a connection") from errors
        except* RunFailed as errors:
            raise errors.exceptions[0] from errors
        finally:
            for _, writer in self._opened:
                writer.close()

    async def _send(self, due: Due, at: float, flow: Flow) -> None:
        answers = await asyncio.gather(*(self._ask(port, request) for port, request in due.requests))
        flow.latencies.append(time.perf_counter() - at)
        flow.answers.append(list(answers))

    async def _ask(self, port: int, request: bytes) -> bytes:
        idle = self._idle[port]
        reader, writer = idle.pop() if idle else await self._open(port)
        body = await ask(reader, writer, request, b"HTTP/1.1 200 ")
        idle.append((reader, writer))
        return body

    async def _open(self, port: int) -> Ends:
        self._opened.append(await asyncio.open_connection("127.0.0.1", port))
        return self._opened[-1]


async def _until(at: float) -> None:
    await asyncio.sleep(at - time.perf_counter())
    while time.perf_counter() < at:  # noqa: ASYNC110 - timers count in milliseconds and may go off early
        await asyncio.sleep(0)
