"""Open loop: what is due is sent although nothing was answered yet, and timed from when it was due."""

import asyncio

import pytest

from bench.failure import RunFailed
from bench.open_loop import Due, Flow, OpenLoop

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
APART = 0.02


class Server:
    """Answers nobody before so many have asked."""

    def __init__(self, wanted: int, answer: bytes = OK) -> None:
        self._wanted = wanted
        self._answer = answer
        self._all_asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self._wanted -= 1
        if not self._wanted:
            self._all_asked.set()
        await self._all_asked.wait()
        writer.write(self._answer)
        await writer.drain()
        writer.close()


async def run(server: Server, *due: tuple[float, int]) -> Flow:
    """Due after so many seconds, so many requests each."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    flow = Flow()
    calls = [Due(after, ((port, b"GET / HTTP/1.1\r\n\r\n"),) * count) for after, count in due]
    async with listening:
        await asyncio.wait_for(OpenLoop().run([(flow, calls)]), 30)
    return flow


async def test_nobody_waits_for_an_earlier_answer_and_time_runs_from_when_it_was_due() -> None:
    flow = await run(Server(3), (0, 1), (APART, 1), (2 * APART, 1))
    assert flow.answers == [[b"ok"]] * 3
    # The first was answered when the third had been sent, which was not before it was due
    assert max(flow.latencies) >= 2 * APART


async def test_a_call_of_several_has_its_answer_when_all_have_come() -> None:
    flow = await run(Server(3), (0, 2), (APART, 1))
    assert sorted(map(len, flow.answers)) == [1, 2]
    assert max(flow.latencies) >= APART


async def test_a_refusal_fails_the_run() -> None:
    with pytest.raises(RunFailed, match="refused: 503"):
        await run(Server(1, b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), (0, 1))
