"""Many who connect at once are taken many each round of the event loop: whoever comes behind them waits little."""

import asyncio
import socket
from collections import Counter
from contextlib import ExitStack

import uvloop

from broker.listening import HANDS, listen_on, many_handed

MANY = 4 * HANDS


async def rounds_of(listeners: list[socket.socket], address: tuple[str, int]) -> Counter[int]:
    """In which round how many of MANY were taken."""
    taken: Counter[int] = Counter()
    at = 0

    class Taken(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken[at] += 1
            transport.close()

    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Taken, sock=one, backlog=2 * MANY) for one in listeners]
    with ExitStack() as clients:
        for _ in range(MANY):
            clients.enter_context(socket.create_connection(address))
        while taken.total() < MANY:
            at += 1
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
    for one in servers:
        one.close()
    await asyncio.sleep(0.1)
    return taken


def test_so_many_each_round() -> None:
    with listen_on("127.0.0.1", 0) as listener:
        taken = uvloop.run(rounds_of(many_handed([listener]), listener.getsockname()))
    assert len(taken) <= MANY / HANDS + 2, taken


def test_of_a_socket_that_is_handed_once_one() -> None:
    """Why there are many; where this fails, the event loop takes all that wait, and one would do."""
    with listen_on("127.0.0.1", 0) as listener:
        taken = uvloop.run(rounds_of([listener.dup()], listener.getsockname()))
    assert max(taken.values()) == 1, taken
