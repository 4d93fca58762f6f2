"""Closed-loop load over raw sockets: each caller sends its next request when its last answer has come."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
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
        return self.latencies[min(len(self.latencies) - 1, int(part * len(self.latencies)))]


async def drive(processes: Processes, requests: Iterator[bytes], callers: int) -> Window:
    """Send every request, `callers` at a time. Raises RunFailed for any answer but 200."""
    ends = [await asyncio.open_connection("127.0.0.1", processes.port) for _ in range(callers)]
    latencies: list[float] = []
    answers: list[bytes] = []
    before, began = processes.cpu(), time.perf_counter()
    try:
        async with asyncio.TaskGroup() as group:
            for reader, writer in ends:
                group.create_task(_call(reader, writer, requests, latencies, answers))
    except* (OSError, asyncio.IncompleteReadError) as errors:
        raise RunFailed("the broker closed a connection") from errors
    except* RunFailed as errors:
        raise errors.exceptions[0] from errors
    finally:
        for _, writer in ends:
            writer.close()
    seconds, cpu = time.perf_counter() - began, processes.cpu().since(before)
    return Window(seconds, sorted(latencies), cpu, answers)


async def _call(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    requests: Iterator[bytes],
    latencies: list[float],
    answers: list[bytes],
) -> None:
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length is not None else b""
        latencies.append(time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200 "):
            code = _CODE.search(body)
            raise RunFailed(f"refused: {head[9:12].decode()} {code[1].decode() if code is not None else ''}")
        answers.append(body)
