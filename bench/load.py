"""Closed-loop load over raw sockets: each caller sends its next request when its last answer has come.

Where the program has several processes, the callers are spread over their ports.
"""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Final

from bench.failure import RunFailed
from bench.processes import TICK, CpuTimes, Processes

_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n")
_CODE: Final = re.compile(rb'"code":"([a-z_]+)"')


@dataclass(frozen=True, slots=True)
class Window:
    """What one stretch of load showed."""

    seconds: float
    latencies: list[float]
    """Seconds, sorted."""
    cpu: CpuTimes
    answers: list[bytes] = field(repr=False)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def cpu_each(self) -> float:
        """The server's CPU seconds per request; less than the kernel's tick cannot be told from a tick."""
        return max(self.cpu.server, TICK) / len(self.latencies)

    def percentile(self, part: float) -> float:
        """The latency in seconds that `part` of all requests stayed within."""
        return part_of(self.latencies, part)


def part_of(ordered: Sequence[float], part: float) -> float:
    """The value that `part` of all stayed within."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


async def drive(processes: Processes, requests: Iterator[bytes], callers: int, status: int = 200) -> Window:
    """Send every request, `callers` at a time. Raises RunFailed for any answer but of this status."""
    turns = islice(cycle(processes.ports), callers)
    ends = [await asyncio.open_connection("127.0.0.1", port) for port in turns]
    taken = _Taken(b"HTTP/1.1 %d " % status)
    before, began = processes.cpu(), time.perf_counter()
    try:
        async with asyncio.TaskGroup() as group:
            for reader, writer in ends:
                group.create_task(_call(reader, writer, requests, taken))
    except* (OSError, asyncio.IncompleteReadError) as errors:
        raise RunFailed("a server closed a connection") from errors
    except* RunFailed as errors:
        raise errors.exceptions[0] from errors
    finally:
        for _, writer in ends:
            writer.close()
    seconds, cpu = time.perf_counter() - began, processes.cpu().since(before)
    return Window(seconds, sorted(taken.latencies), cpu, taken.answers)


@dataclass(slots=True)
class _Taken:
    """What came so far, and how the head of an answer that counts begins."""

    begins: bytes
    latencies: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)


async def _call(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: Iterator[bytes], taken: _Taken
) -> None:
    for request in requests:
        began = time.perf_counter()
        body = await ask(reader, writer, request, taken.begins)
        taken.latencies.append(time.perf_counter() - began)
        taken.answers.append(body)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, begins: bytes) -> bytes:
    """The body of the answer, whose head must begin so. Raises RunFailed, or what the connection raises."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length is not None else b""
    if not head.startswith(begins):
        code = _CODE.search(body)
        raise RunFailed(f"refused: {head[9:12].decode()} {code[1].decode() if code is not None else ''}")
    return body
