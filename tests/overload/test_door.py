"""Who comes in when, and an exchange that is turned away: answered as by the application, its connection goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest_asyncio

from broker.door import TOLD_EVERY, Door
from broker.load_limits import LoadFile
from connectors.departments.fleet import Fleet
from tests.faults.raw_http import RawReply, request, send
from tests.world import World, open_world

PLACES = 8
VARYING = {"x-request-id", "date", "content-length"}
LIKE_A_TOKEN = b"e30." + b"A" * 400 + b"." + b"B" * 86
WITH_A_BODY = {"Content-Type": "application/jwt", "Content-Length": str(len(LIKE_A_TOKEN))}


@pytest_asyncio.fixture
async def small(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    load = LoadFile(exchanges=PLACES)
    async with open_world(tmp_path, fleet, change=lambda settings: replace(settings, load=load)) as world:
        yield world


def asking(connection: str = "keep-alive", language: str = "zh") -> bytes:
    headers = {**WITH_A_BODY, "Connection": connection, "Accept-Language": language}
    return request("POST", "/v1/exchanges", body=LIKE_A_TOKEN, headers=headers)


def full(world: World) -> ExitStack:
    """Within it every place is taken."""
    held = ExitStack()
    for number in range(PLACES):
        held.enter_context(world.broker.path.places.held_by(f"requester-{number}"))
    return held


async def through_the_application(world: World) -> tuple[int, dict[str, str], dict[str, Any]]:
    """The same request without the door."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/exchanges",
        "query_string": b"",
        "headers": [(b"host", b"x"), *((n.lower().encode(), v.encode()) for n, v in WITH_A_BODY.items())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": LIKE_A_TOKEN, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await cast("Any", world.broker_app)(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(sent[1]["body"])


def told(reply: RawReply) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(reply.body)
    return members


async def test_it_is_answered_as_the_application_would(small: World) -> None:
    with full(small):
        status, headers, members = await through_the_application(small)
        reply = await send(small, asking())
    assert (reply.status, told(reply)["code"]) == (status, members["code"]) == (503, "busy")
    assert {name: value for name, value in reply.headers.items() if name not in VARYING} == {
        name: value for name, value in headers.items() if name not in VARYING
    }
    assert told(reply) | {"request_id": ""} == members | {"request_id": ""}
    assert reply.headers["x-request-id"] == told(reply)["request_id"] != members["request_id"]
    assert set(reply.headers) >= VARYING


async def test_in_the_callers_language_and_the_connection_goes_on(small: World) -> None:
    with full(small):
        english = await send(small, asking(language="en-GB"))
        assert told(english)["title"].isascii()
        assert not told(await send(small, asking()))["title"].isascii()
        both = await send(small, asking() + request("GET", "/healthz"))
        assert (both.status, both.rest[:15]) == (503, b"HTTP/1.1 200 OK")
        twice = await send(small, asking() + asking())
        assert (twice.status, twice.rest[:12]) == (503, b"HTTP/1.1 503")
        last = await send(small, asking("close"))
        assert (last.status, last.headers["connection"], last.closed) == (503, "close", True)
    freed = await send(small, asking())
    assert (freed.status, told(freed)["code"]) == (401, "malformed_token")


async def test_one_line_tells_how_many(small: World) -> None:
    with full(small):
        for _ in range(5):
            await send(small, asking())
        async with asyncio.timeout(20):
            while '"turned_away"' not in small.log.getvalue():  # noqa: ASYNC110 - at a server
                await asyncio.sleep(TOLD_EVERY / 4)
        await asyncio.sleep(1.5 * TOLD_EVERY)
    lines = [json.loads(line) for line in small.log.getvalue().splitlines()]
    counted = [line["busy"] for line in lines if line["event"] == "turned_away"]
    assert sum(counted) == 5
    assert not [line for line in lines if line["event"] == "request" and line["route"] == "/v1/exchanges"]
    async with small.http.get(f"{small.issuer}/metrics") as response:
        metrics = await response.text()
    assert 'broker_requests_total{route="/v1/exchanges",status="503"} 5.0' in metrics


async def test_all_else_comes_in_one_a_round_and_in_order() -> None:
    door, rounds, seen = Door(cast("Any", None), cast("Any", SimpleNamespace())), 0, list[tuple[int, int]]()

    def fails() -> None:
        raise ZeroDivisionError

    def come(number: int) -> None:
        door.let_in(lambda: seen.append((number, rounds)))

    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context["exception"]))
    come(0)
    door.let_in(fails)
    for number in range(1, 4):
        come(number)
    for rounds in range(8):
        if rounds == 1:
            come(4)
        await asyncio.sleep(0)
    assert [number for number, _ in seen] == [0, 1, 2, 3, 4]
    assert len({at for _, at in seen}) == len(seen), "two came in together"
    assert [type(one) for one in failed] == [ZeroDivisionError]
