"""Clients who take their time, 150 of each sort: each is closed, and nobody else notices. `make overload` has 2,000."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from broker import slow_clients
from broker.load_limits import LoadFile
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.faults.raw_http import problem_of, request, send
from tests.world import ITEMS, World, open_world

EACH = 150
SLOW_SECONDS = 1.5
CLOSED_WITHIN = 30.0
"""Far more than is promised: the machine may be busy. `make overload` holds the promise to the second."""
HEAD = b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nContent-Type: application/jwt\r\n"
BODY = HEAD + b"Content-Length: 900\r\n\r\n"
LARGE = b"GET /v1/catalogue HTTP/1.1\r\nHost: x\r\n\r\n"
SWALLOW = 24 * 1024
EARS = 2048
"""Bytes that a slow reader's own system takes for it."""


@pytest_asyncio.fixture
async def strict(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    """A world that has little time for slow clients."""
    async with open_world(
        tmp_path, fleet, change=lambda settings: replace(settings, load=LoadFile(slow_seconds=SLOW_SECONDS))
    ) as world:
        yield world


async def dial(world: World) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, EARS)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", urlsplit(world.issuer).port))
    return connection


async def connect(world: World) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(sock=await dial(world))


async def drip(world: World, first: bytes, dripped: bytes) -> bytes:
    """Send bytes one by one until the other side has had enough; what it said, up to its end."""
    reader, writer = await connect(world)
    said = asyncio.create_task(reader.read())
    try:
        async with asyncio.timeout(CLOSED_WITHIN):
            writer.write(first)
            while not said.done():
                writer.write(dripped)
                await asyncio.wait({said}, timeout=0.1)
        return await said
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def sip(world: World) -> int:
    """Ask for much and take it by the byte until the connection breaks; how much was taken."""
    loop, connection, taken = asyncio.get_running_loop(), await dial(world), 0
    with connection:
        await loop.sock_sendall(connection, LARGE)
        async with asyncio.timeout(CLOSED_WITHIN):
            # What has come may be read even after a reset, so reading does not show it
            while not connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                taken += len(await loop.sock_recv(connection, 1))
                await asyncio.sleep(0.1)
    return taken


async def test_slow_ones_are_closed_and_nobody_else_notices(strict: World) -> None:
    centre, phone = await strict.centre(), await strict.phone(XU)
    granted = [await strict.grant(centre, phone, items=ITEMS) for _ in range(4)]
    heads = [asyncio.create_task(drip(strict, HEAD, b"X-Slow: 1\r\n")) for _ in range(EACH)]
    bodies = [asyncio.create_task(drip(strict, BODY, b"x")) for _ in range(EACH)]
    readers = [asyncio.create_task(sip(strict)) for _ in range(EACH)]
    slow = [*heads, *bodies, *readers]
    others = 0
    while not all(task.done() for task in slow) or others < len(granted):
        async with strict.http.get(f"{strict.issuer}/healthz") as response:
            assert response.status == 200
        if others < len(granted):
            assert (await strict.pull(centre, granted[others])).status == 200
        others += 1
        await asyncio.sleep(0.1)
    told = [said for said in await asyncio.gather(*heads, *bodies) if said]  # the last drip may reset what was said
    assert told
    for said in told:
        assert said.startswith(b"HTTP/1.1 422 "), said[:200]
        assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "invalid_request"
    assert 0 < max(await asyncio.gather(*readers)) < 2 * EARS
    closed = [json.loads(line) for line in strict.log.getvalue().splitlines() if "slow_clients_closed" in line]
    assert sum(line.get("request", 0) for line in closed) == 2 * EACH
    assert sum(line.get("answer", 0) for line in closed) == EACH
    assert not any(
        line.get("route") == "/v1/exchanges" and line["status"] != 200 for line in map(json.loads, logged(strict))
    )
    async with strict.http.get(f"{strict.issuer}/metrics") as response:
        counted = await response.text()
    assert f'broker_slow_clients_total{{part="request"}} {float(2 * EACH)}' in counted
    assert f'broker_slow_clients_total{{part="answer"}} {float(EACH)}' in counted
    strict.check_log()


def logged(world: World) -> list[str]:
    return [line for line in world.log.getvalue().splitlines() if '"request"' in line]


async def test_a_slow_body_is_told_why(strict: World) -> None:
    reply = await send(strict, BODY, *[b"x"] * 400, pause=0.1, wait=CLOSED_WITHIN)
    assert problem_of(reply, strict) == "invalid_request"
    assert reply.closed


async def test_whoever_says_nothing_is_told_nothing(strict: World) -> None:
    for said in (b"", b"\r\n"):
        assert await drip(strict, said, b"") == b""


async def test_a_second_request_and_idle_bytes_between_two_have_the_same_time(strict: World) -> None:
    whole = request("GET", "/healthz").replace(b"Connection: close\r\n", b"")
    for second, dripped in ((HEAD, b""), (BODY, b""), (b"", b"\r\n")):
        said = await drip(strict, whole + second, dripped)
        first, _, rest = said.partition(b'{"status":"alive"}')
        assert first.startswith(b"HTTP/1.1 200 "), said
        assert rest.startswith(b"HTTP/1.1 422 ") is (second != b""), rest


async def test_a_slow_application_is_no_slow_client(strict: World) -> None:
    """A long poll, a second request sent behind it, and a connection that rests between two."""
    centre = await strict.centre()
    request_id, _ = await strict.ask(centre, XU)
    began = asyncio.get_running_loop().time()
    waited = await centre.read(request_id, wait=4)
    assert waited.members["status"] == "waiting" or waited.status == 200
    assert asyncio.get_running_loop().time() - began > 2 * SLOW_SECONDS
    path = f"/v1/authorization-requests/{request_id}"
    bearer = centre._authorization("GET", path)["Authorization"]
    poll = request("GET", f"{path}?wait=4", headers={"Authorization": bearer}).replace(b"Connection: close\r\n", b"")
    body = request("POST", "/v1/exchanges", body=b"x" * 900, headers={"Content-Type": "application/jwt"})
    reader, writer = await connect(strict)
    writer.write(poll + body[:-10])
    async with asyncio.timeout(CLOSED_WITHIN):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        writer.write(body[-10:])
        rest = await reader.read()
    assert b"HTTP/1.1 401 " in rest, rest
    writer.close()


async def test_a_large_body_reaches_the_application_before_its_end(strict: World) -> None:
    """It has limits of its own, and says at once that it is too much."""
    reader, writer = await connect(strict)
    writer.write(HEAD + b"Content-Length: 10000000\r\n\r\n" + b"x" * 200_000)
    async with asyncio.timeout(CLOSED_WITHIN):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 413 ")
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(CLOSED_WITHIN):
            await reader.read()
    writer.transport.abort()


async def test_a_reader_that_goes_on_gets_it_all(strict: World) -> None:
    """Slower than the time allowed for standing still, and never standing still."""
    async with strict.http.get(f"{strict.issuer}/v1/catalogue") as response:
        whole = len(await response.read())
    loop, connection, taken = asyncio.get_running_loop(), await dial(strict), 0
    began = loop.time()
    with connection:
        await loop.sock_sendall(connection, LARGE)
        async with asyncio.timeout(CLOSED_WITHIN):
            while taken < whole:
                before = taken
                while taken < min(whole, before + SWALLOW):
                    taken += len(await loop.sock_recv(connection, SWALLOW))
                await asyncio.sleep(0.3)
    assert loop.time() - began > SLOW_SECONDS, "too quick to prove anything"


async def test_a_prompt_client_whose_system_acknowledges_late_is_no_slow_one(
    strict: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each look something is unacknowledged, as it is of a client in steady work; never the same thing for long."""
    monkeypatch.setattr(slow_clients, "LEAST", 1 << 30)  # so that it is not by their sum that its answers count
    monkeypatch.setattr(slow_clients, "_unacknowledged", lambda _: 1)
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(strict.issuer).port)
    end = loop.time() + 4 * SLOW_SECONDS
    while loop.time() < end:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")  # raises where it was closed in the middle of its work
        assert head.startswith(b"HTTP/1.1 200")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        await asyncio.sleep(0.01)
    writer.close()
    assert "slow_clients_closed" not in strict.log.getvalue()
