"""Requests that are hardly HTTP: strange hosts, doubled headers, smuggled requests, broken-off bodies.

Known: bytes that are no HTTP/1.1 request (a malformed request line, an unknown method, a bad header name, both lengths)
never reach the application; uvicorn refuses them itself with a plain-text 400 and closes.
"""

import asyncio
import logging

import pytest

from tests.faults.raw_http import CANARY, LogWatch, judged, problem_of, request, send, send_all
from tests.world import World

HOSTS = (
    "a/?x=",
    "evil.example",
    "127.0.0.1:1@evil.example",
    "[::1",
    "",
    "x" * 2000,
    "\xff\xfe",
    "a b",
    "//evil",
    "%0d%0a",
)


async def test_a_strange_host_changes_nothing(signed_in: tuple[World, str]) -> None:
    """The address is what we are configured to be, never what a caller says (Starlette CVE-2026-48710)."""
    world, cookie = signed_in
    paths = ("/v1/me/consents", "/v1/me/consents/", "/healthz", "/healthz/", "/nowhere", "/problems/busy/")
    raws = [
        request("GET", path, headers={"Host": host.encode("latin-1"), "Cookie": cookie})
        for host in HOSTS
        for path in paths
    ]
    raws += [request("GET", "/v1/me/consents", headers={"Host": host.encode("latin-1")}) for host in HOSTS]
    for reply in await send_all(world, raws):
        assert b"evil" not in reply.body
        assert not any("evil" in value for value in reply.headers.values())
    assert await judged(world, raws, from_server=True) <= {"", "not_found", "not_signed_in", "not_http"}


async def test_headers_given_twice_or_as_bytes(signed_in: tuple[World, str]) -> None:
    world, cookie = signed_in
    session = cookie.encode()
    odd = [
        b"Cookie: broker_session=\xff\xfe\x80\r\n",
        b'Cookie: broker_session="\\377\\000"; ;;=; broker_session\r\n',
        b"Cookie: " + session + b"\r\nCookie: broker_session=" + CANARY.encode() + b"\r\n",
        b"Authorization: Bearer \xff\r\nAuthorization: Basic eA==\r\n",
        b"Authorization:\r\n",
        b"Authorization: bearer\r\n",
        b"Accept-Language: \xff\r\nAccept: \xff\r\n",
        b"If-None-Match: \xff\r\nRange: bytes=0-,0-,0-\r\n",
        b"X-Request-Id: " + CANARY.encode() + b"\r\n",
        b"Origin: null\r\nOrigin: " + world.issuer.encode() + b"\r\n",
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n",
        b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
        b"Expect: 100-continue\r\n",
        b"Content-Type: application/json\r\nContent-Type: application/jwt\r\n",
        b"A: " + b"x" * 60_000 + b"\r\n",
        b"".join(b"H%d: x\r\n" % number for number in range(500)),
    ]
    paths = (
        b"/v1/me/consents",
        b"/v1/catalogue",
        b"/v1/authorization-requests/x",
        b"/healthz",
        b"/v1/me/devices/nonce",
    )
    raws = [
        method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n" + lines + b"Connection: close\r\n\r\n"
        for path in paths
        for lines in odd
        for method in (b"GET", b"DELETE")
    ]
    await judged(world, raws, from_server=True)


NOT_HTTP = (
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xe5\xbe\x90 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET //evil.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\x00y\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n folded: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n0\r\n\r\n",
    b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n",
    b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello",
    b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
)


async def test_bytes_that_are_no_request(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    codes = await judged(world, NOT_HTTP, from_server=True)
    assert "not_http" in codes
    assert len(caplog.records) <= len(NOT_HTTP), "more than one line for a request"
    assert "evil" not in caplog.text
    assert "Traceback" not in caplog.text


INNER = b"GET /v1/catalogue?smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + INNER
SMUGGLING = {
    "both, CL first": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(CHUNKED),
    "both, TE first": b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(CHUNKED),
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(CHUNKED),
    "same length twice": b"Content-Length: %d\r\nContent-Length: %d\r\n" % (len(CHUNKED), len(CHUNKED)),
    "length list": b"Content-Length: 0, %d\r\n" % len(CHUNKED),
    "space before colon": b"Content-Length: %d\r\nTransfer-Encoding : chunked\r\n" % len(CHUNKED),
    "unknown coding": b"Content-Length: %d\r\nTransfer-Encoding: xchunked\r\n" % len(CHUNKED),
    "tab": b"Content-Length: %d\r\nTransfer-Encoding:\tchunked\r\n" % len(CHUNKED),
    "codings": b"Content-Length: %d\r\nTransfer-Encoding: chunked, identity\r\n" % len(CHUNKED),
    "folded": b"Content-Length: %d\r\nTransfer-Encoding:\r\n chunked\r\n" % len(CHUNKED),
    "bare LF": b"Content-Length: %d\nTransfer-Encoding: chunked\r\n" % len(CHUNKED),
    "plus sign": b"Content-Length: +%d\r\n" % len(CHUNKED),
    "hex": b"Content-Length: 0x%x\r\n" % len(CHUNKED),
}


@pytest.mark.parametrize("name", SMUGGLING)
async def test_no_request_is_smuggled_inside_another(world: World, name: str) -> None:
    """Whichever length a proxy in front believed, the second request must not be answered as one of its own."""
    watch = LogWatch(world)
    head = b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nContent-Type: application/jwt\r\n" + SMUGGLING[name] + b"\r\n"
    reply = await send(world, head + CHUNKED)
    code = problem_of(reply, world, from_server=True)
    assert code in {"not_http", "malformed_token"}
    assert b"HTTP/1.1 200" not in reply.rest
    assert "/v1/catalogue" not in world.log.getvalue()
    watch.check(1)


async def test_a_client_that_leaves_in_the_middle_of_its_body(world: World) -> None:
    watch = LogWatch(world)
    port = int(world.issuer.rsplit(":", 1)[1])
    for path, kind in (("/v1/exchanges", "application/jwt"), ("/v1/session/test", "application/json")):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        headers = {"Content-Type": kind, "Content-Length": "900", "Origin": world.issuer}
        writer.write(request("POST", path, body=b"half", headers=headers))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()
    await asyncio.sleep(0.2)
    watch.check(2)
    assert problem_of(await send(world, request("GET", "/healthz")), world) == ""
