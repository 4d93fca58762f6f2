"""Recorded answers come for the path and the person that were asked, however the bytes arrive."""

import asyncio
from functools import partial

import pytest

from bench.recorded import Answering, Memory, written
from connectors.departments.people import UNMARRIED, XU

ASKED, OTHER = XU.id_number, UNMARRIED.id_number
ANSWERS = {"/a": {ASKED: written("text/plain", b"one"), OTHER: written("text/plain", b"two")}}


def request(number: str, path: str = "/a") -> bytes:
    body = b'{"zjh": "%s"}' % number.encode()
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(body), body)


async def bodies(memory: Memory, *pieces: bytes, wanted: int) -> list[bytes]:
    """What comes back to these pieces, each sent on its own."""
    server = await asyncio.get_running_loop().create_server(partial(Answering, memory), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.01)
        return [await asyncio.wait_for(body(reader), 30) for _ in range(wanted)]
    finally:
        writer.close()
        server.close()


async def body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.split(b"content-length: ")[1]))


async def test_an_answer_is_about_whom_was_asked() -> None:
    assert await bodies(Memory(ANSWERS), request(ASKED), request(OTHER), wanted=2) == [b"one", b"two"]


async def test_requests_may_come_in_pieces_or_together() -> None:
    both = request(ASKED) + request(OTHER)
    for cut in (10, len(request(ASKED)) - 3, len(request(ASKED)) + 5):
        assert await bodies(Memory(ANSWERS), both[:cut], both[cut:], wanted=2) == [b"one", b"two"]
    assert await bodies(Memory(ANSWERS), both, wanted=2) == [b"one", b"two"]


@pytest.mark.parametrize(("number", "path"), [("32109919000101001X", "/a"), (ASKED, "/b")])
def test_what_was_never_asked_has_no_answer(number: str, path: str) -> None:
    with pytest.raises(KeyError):
        Memory(ANSWERS).answer(path, number.encode())


async def test_it_can_be_told_to_be_late() -> None:
    memory = Memory(ANSWERS)
    slow = b'{"fault": "slow", "seconds": 0.5}'
    told = b"POST /faults HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(slow), slow)
    began = asyncio.get_running_loop().time()
    assert await bodies(memory, told, request(ASKED), wanted=2) == [b"{}", b"one"]
    # A timer may go off a little early
    assert asyncio.get_running_loop().time() - began > 0.4
