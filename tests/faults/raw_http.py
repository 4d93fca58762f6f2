"""Requests as bytes on a socket, so that nothing between the test and the server mends them; and what may come back."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from broker.problems import PROBLEMS
from connectors.departments.people import XU
from policies.refusals import Code
from tests.world import World

CANARY = "CANARY-徐建国-321099198603120177"
AT_ONCE = 8
LONGEST = 15.0
"""Seconds that any answer may take: more is a hang. Eight at once on a busy machine took over one."""


@dataclass(frozen=True)
class RawReply:
    """The first answer on a connection, and whatever came after it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    rest: bytes
    seconds: float
    closed: bool


async def send(world: World, *pieces: bytes, pause: float = 0.0, wait: float = LONGEST) -> RawReply:
    """Send pieces, `pause` seconds apart, and read the first answer; status 0 where the connection just closed."""
    port = urlsplit(world.issuer).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    try:
        sending = asyncio.create_task(_send(writer, pieces, pause))
        reply = await asyncio.wait_for(_read(reader, pieces[0].startswith(b"HEAD "), began), wait)
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await sending
        return reply
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _send(writer: asyncio.StreamWriter, pieces: Iterable[bytes], pause: float) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


async def _read(reader: asyncio.StreamReader, head_only: bool, began: float) -> RawReply:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return RawReply(0, {}, b"", b"", time.monotonic() - began, closed=True)
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = 0 if head_only else int(headers.get("content-length", "0"))
    body = await reader.readexactly(length)
    seconds = time.monotonic() - began
    rest, closed = b"", False
    with contextlib.suppress(TimeoutError, ConnectionError):
        # What a smuggled second request would be answered arrives at once
        rest = await asyncio.wait_for(reader.read(4096), 0.05) if headers.get("connection") != "close" else b""
        closed = not rest
    closed = closed or (headers.get("connection") == "close" and await _ends(reader))
    return RawReply(int(first.split(" ")[1]), headers, body, rest, seconds, closed)


async def _ends(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 2) == b""
    return True


def request(
    method: str, target: str | bytes, *, body: bytes | None = None, headers: Mapping[str, str | bytes] | None = None
) -> bytes:
    """A request's bytes; values are sent as they are, however wrong."""
    path = target.encode() if isinstance(target, str) else target
    lines = [method.encode() + b" " + path + b" HTTP/1.1"]
    given = {"Host": "127.0.0.1", "Connection": "close"} | dict(headers or {})
    if body is not None and "Transfer-Encoding" not in given:
        given.setdefault("Content-Length", str(len(body)))
    for name, value in given.items():
        lines.append(name.encode() + b": " + (value.encode() if isinstance(value, str) else value))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def problem_of(reply: RawReply, world: World, *, from_server: bool = False) -> str:
    """The answer keeps the contract; its problem's code, empty where it is no problem.

    `from_server`: the request never was HTTP, so uvicorn itself may refuse it, in plain text with 400 (a known form).
    """
    assert reply.seconds < LONGEST, f"{reply.status} took {reply.seconds:.2f} s"
    if from_server and (reply.status == 0 or (reply.status == 400 and "text/plain" in reply.headers["content-type"])):
        return "not_http"
    assert 200 <= reply.status < 500, f"{reply.status} {reply.body[:300]!r}"
    assert "location" not in reply.headers, "a redirect could be bent by the Host header"
    if reply.status < 400:
        return ""
    assert reply.headers["x-content-type-options"] == "nosniff"
    if reply.headers["content-type"] == "text/html; charset=utf-8":  # a page for people: a sentence, and the code
        return _code_shown(reply)
    assert reply.headers["content-type"] == "application/problem+json", reply.headers
    if not reply.body:  # HEAD
        return "unread"
    members: dict[str, Any] = json.loads(reply.body)
    code = Code(members["code"])
    assert members["status"] == reply.status
    assert members["type"] == f"{world.issuer}/problems/{code}"
    assert members["request_id"] == reply.headers["x-request-id"]
    assert members["title"] in (PROBLEMS[code].zh.title, PROBLEMS[code].en.title)
    assert members.keys() <= {"type", "title", "status", "detail", "code", "request_id", "token", "reasons"}
    return str(code)


def _code_shown(reply: RawReply) -> str:
    shown = re.search(rb"<code>([a-z_]+)</code>", reply.body)
    assert shown is not None or not reply.body
    return str(Code(shown[1].decode())) if shown is not None else "unread"


async def logged(world: World, event: str) -> None:
    """Wait until the ledger holds such an entry."""
    async with asyncio.timeout(LONGEST):
        while event not in world.events():  # noqa: ASYNC110 - what is waited for happens in a database, not in a task
            await asyncio.sleep(0.01)


class LogWatch:
    """What the server logs while it is watched: at most one line a request, nothing unforeseen, no value of ours."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._from = len(world.log.getvalue())

    def check(self, requests: int, *forbidden: str) -> None:
        text = self._world.log.getvalue()[self._from :]
        lines = [json.loads(line) for line in text.splitlines()]
        ids = {line.get("request_id") for line in lines}
        assert len(ids) == len(lines), "a request has more than one line"
        assert len(lines) <= requests + 1, "one request from before the watch may still write its line"
        unforeseen = [line for line in lines if line["event"] != "request" or line["level"] != "info"]
        assert not unforeseen, unforeseen[:3]
        for word in forbidden:
            assert word not in text


async def send_all(world: World, raws: Sequence[bytes]) -> list[RawReply]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(raw: bytes) -> RawReply:
        async with places:
            return await send(world, raw)

    return await asyncio.gather(*map(one, raws))


async def judged(world: World, raws: Sequence[bytes], *, from_server: bool = False) -> set[str]:
    """Send all; each keeps the contract. The codes that came back."""
    watch = LogWatch(world)
    codes = set()
    for raw, reply in zip(raws, await send_all(world, raws), strict=True):
        try:
            codes.add(problem_of(reply, world, from_server=from_server))
        except AssertionError as error:
            raise AssertionError(f"{raw[:300]!r}: {error}") from error
    watch.check(len(raws), "CANARY", XU.name, XU.id_number, "3210991986")
    return codes
