"""Any bytes at any endpoint: a problem with a code, never a 500, never a hang, at most one log line without any value.

Known: bytes that are no HTTP/1.1 request (a malformed request line, an unknown method, a bad header name, both lengths)
never reach the application; uvicorn refuses them itself with a plain-text 400 and closes.

FAULTS_LONG=1 multiplies the generated examples by 50.
"""

import asyncio
import itertools
import json
import logging
import os
import random
import string
import time
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.api import wire
from broker.client import RequesterClient
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.faults.raw_http import LogWatch, RawReply, problem_of, request, send
from tests.forging import claims_for, forge, header_for
from tests.world import ITEMS, World, open_world

EXAMPLES = 150 * (50 if os.environ.get("FAULTS_LONG") else 1)
CANARY = "CANARY-徐建国-321099198603120177"
AT_ONCE = 8

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
TYPES = ("application/json", "application/jwt", "text/plain", "multipart/form-data; boundary=x", "", "\xff/\x00"[:2])


def bodies() -> Iterator[bytes]:
    """The fixed corpus."""
    yield from (b"", b"{}", b"[]", b"null", b"0", b'""', b"{", b'{"a":', b'{"a":1,"a":2}', b"\xff\xfe", b"\x00" * 50)
    yield from (b"." * 3, b"a.b.c", b"e30.e30." + b"A" * 86, b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":1e999}')
    yield from (b'{"name":"\\ud800","id_number":"\\udfff"}', b'{"\\u0000":"\\u0000"}', b'{"a":' + b"9" * 4000 + b"}")
    yield from (b"[" * depth + b"]" * depth for depth in (9, 90, 300, 450, 900, 990, 5000))
    yield from (b'{"a":' * depth + b"1" + b"}" * depth for depth in (9, 90, 190, 300, 450, 900, 2000))
    yield json.dumps({"name": CANARY, "id_number": CANARY, "items": [CANARY], "kid": CANARY}).encode()
    yield json.dumps({"consent": CANARY, "withdrawal": CANARY, "proof": CANARY, "jwk": {"kty": CANARY}}).encode()
    yield b'{"a":"' + b"x" * 15_000 + b'"}'
    yield b"x" * 70_000
    yield random.Random(1).randbytes(3000)


def targets(openapi: dict[str, Any]) -> list[str]:
    """Every address of the application, with its variables filled in well and badly."""
    filled = ("a", "%00", "%ff%fe", "..%2f..", "%ED%A0%80", "x" * 3000)
    return [
        path.replace("{", "\0").split("\0")[0] + word + path.partition("}")[2] if "{" in path else path
        for path in openapi["paths"]
        for word in (filled if "{" in path else filled[:1])
    ]


@pytest_asyncio.fixture
async def signed_in(world: World) -> tuple[World, str]:
    """A world, and the cookie of somebody who is signed in."""
    phone = await world.phone(XU)
    (cookie,) = list(phone.http.cookie_jar)
    return world, f"{cookie.key}={cookie.value}"


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


async def openapi_of(world: World) -> dict[str, Any]:
    async with world.http.get(f"{world.issuer}/openapi.json") as response:
        members: dict[str, Any] = await response.json()
        return members


async def test_every_address_with_every_method(world: World) -> None:
    addresses = targets(await openapi_of(world))
    assert len({address.split("?")[0] for address in addresses}) > 30
    raws = [request(method, address) for address in addresses for method in METHODS]
    codes = await judged(world, raws)
    assert {"", "not_found", "method_not_allowed", "not_signed_in", "forbidden"} <= codes


async def test_every_address_that_takes_a_body_with_every_body(signed_in: tuple[World, str]) -> None:
    world, cookie = signed_in
    described = await openapi_of(world)
    changing = [path for path, methods in described["paths"].items() if methods.keys() & {"post", "delete"}]
    raws = []
    for path, body, kind in itertools.product(changing, bodies(), TYPES[:2]):
        headers: dict[str, str | bytes] = {"Content-Type": kind, "Cookie": cookie, "Origin": world.issuer}
        headers["Authorization"] = f"Bearer {CANARY}"
        method = "POST" if "post" in described["paths"][path] else "DELETE"
        address = path.replace("{", "").replace("}", "")
        raws.append(request(method, address, body=body, headers=headers))
    codes = await judged(world, raws)
    assert {"malformed_token", "invalid_request", "too_large", "unsupported_media_type"} <= codes
    world.check_log()


async def test_wrong_content_types(signed_in: tuple[World, str]) -> None:
    world, cookie = signed_in
    raws = [
        request("POST", path, body=b"{}", headers={"Content-Type": kind.encode("latin-1"), "Cookie": cookie})
        for path in ("/v1/exchanges", "/v1/authorization-requests")
        for kind in TYPES
        if kind != "application/jwt"
    ]
    assert await judged(world, raws) == {"unsupported_media_type"}


QUERIES = (
    "wait=abc",
    "wait=",
    f"wait={quote(CANARY)}",
    "wait=-1",
    "wait=" + "9" * 5000,
    "%ff=%00",
    "wait[]=1",
    "wait=1.5",
    "&&&=",
)


async def test_queries_that_do_not_read(world: World) -> None:
    centre = await world.centre()
    request_id, _ = await world.ask(centre)
    path = f"/v1/authorization-requests/{request_id}"
    raws = []
    for query in QUERIES:
        token = centre.sign("client-authentication+jwt", {"htm": "GET", "htu": f"{world.issuer}{path}"})
        raws.append(request("GET", f"{path}?{query}", headers={"Authorization": f"Bearer {token}"}))
        raws.append(request("GET", f"{path}?{query}"))
        raws.append(request("GET", f"/v1/catalogue?{query}"))
    codes = await judged(world, raws)
    assert {"invalid_request", "malformed_token", ""} <= codes


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


async def test_a_slow_body_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "RECEIVE_WITHIN", 0.4)
    watch = LogWatch(world)
    head = request(
        "POST", "/v1/exchanges", body=b"", headers={"Content-Type": "application/jwt", "Content-Length": "900"}
    )
    head = head.replace(b"Connection: close\r\n", b"")
    reply = await send(world, head, *[b"x"] * 60, pause=0.05)
    assert problem_of(reply, world) == "invalid_request"
    assert 0.3 < reply.seconds < 0.9
    assert reply.closed, "whoever drips goes on holding a connection"
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


@asynccontextmanager
async def known_centre(tmp_path: Path, fleet: Fleet) -> Any:
    """One world for all examples of a hypothesis test: its centre, and a granted consent."""
    async with open_world(tmp_path, fleet) as world:
        centre = await world.centre()
        consent = await world.grant(centre, await world.phone(XU), items=ITEMS)
        yield world, centre, consent


SURPRISES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["exchange", "consents", "matter", "case", "items", "operator", "party", "mode", "subject", "uses", "valid_for", "iss", "aud", "iat", "exp", "jti", "nbf", "extra"]
)
IDS = st.text(string.ascii_letters + string.digits + "._:-/ \x00徐", max_size=70)


def well_formed(consent: str) -> dict[str, Any]:
    return {
        "exchange": "x-bad-input-1",
        "consents": [consent],
        "matter": "purchase_withdrawal",
        "case": "YZ-2026-000123",
    }


def test_signed_nonsense_is_a_problem_too(tmp_path: Path, fleet: Fleet) -> None:
    """A registered centre signs anything at all: the members behind the signature are no less hostile."""
    with asyncio.Runner() as runner:
        opening = known_centre(tmp_path, fleet)
        world, centre, consent = runner.run(opening.__aenter__())
        try:

            @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(
                typ=st.sampled_from(["exchange-request+jwt", "authorization-request+jwt", "client-authentication+jwt"]),
                changes=st.dictionaries(
                    NAMES, SURPRISES | IDS | st.just([consent]) | st.just(XU.id_number), max_size=3
                ),
                dropped=st.sets(NAMES, max_size=2),
            )
            def signed(typ: str, changes: dict[str, Any], dropped: set[str]) -> None:
                runner.run(try_signed(world, centre, typ, well_formed(consent) | changes, dropped))

            signed()
            runner.run(check_afterwards(world))
        finally:
            runner.run(opening.__aexit__(None, None, None))


async def try_signed(
    world: World, centre: RequesterClient, typ: str, members: dict[str, Any], dropped: set[str]
) -> None:
    claims = claims_for("yz-hpf", world.issuer, int(time.time())) | members
    kept = {name: value for name, value in claims.items() if name not in dropped}
    token = forge(centre.key, header_for(centre.key, typ), kept)
    path = "/v1/authorization-requests" if typ.startswith("authorization") else "/v1/exchanges"
    headers = {"Content-Type": "application/jwt"}
    await judged(world, [request("POST", path, body=token.encode(), headers=headers)])


async def check_afterwards(world: World) -> None:
    world.check_log()
    whole = json.dumps(world.entries(), ensure_ascii=False)
    assert XU.id_number not in whole, "a caller wrote an id number into the log"


def test_generated_bodies_from_somebody_signed_in(tmp_path: Path, fleet: Fleet) -> None:
    with asyncio.Runner() as runner:
        opening = open_world(tmp_path, fleet)
        world = runner.run(opening.__aenter__())
        try:
            phone = runner.run(world.phone(XU))
            (cookie,) = list(phone.http.cookie_jar)
            headers = {
                "Content-Type": "application/json",
                "Cookie": f"{cookie.key}={cookie.value}",
                "Origin": world.issuer,
            }
            names = st.sampled_from(
                ["name", "id_number", "level", "jwk", "proof", "label", "items", "kid", "consent", "withdrawal", "kty", "crv", "x", "y"]
            )
            paths = ("/v1/session/test", "/v1/me/devices", "/v1/me/requests/t/compose", "/v1/me/requests/t/consent")

            @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(
                path=st.sampled_from((*paths, "/v1/me/consents/c/withdraw", "/v1/me/consents/c/pause")),
                body=st.binary(max_size=60)
                | st.dictionaries(names, SURPRISES, max_size=4).map(json.dumps).map(str.encode),
            )
            def sent(path: str, body: bytes) -> None:
                runner.run(judged(world, [request("POST", path, body=body, headers=headers)]))

            sent()
            runner.run(check_afterwards(world))
        finally:
            runner.run(opening.__aexit__(None, None, None))


@settings(max_examples=EXAMPLES, deadline=None)
@given(raw=st.binary(min_size=1, max_size=200))
def test_the_strict_json_reader_refuses_or_reads(raw: bytes) -> None:
    """Beneath every body and token: whatever the bytes, an object or the caller's own refusal, nothing else."""

    class Mine(Exception):
        pass

    def refuse() -> Any:
        raise Mine

    try:
        assert isinstance(wire.read_object(raw, refuse), dict)
    except Mine:
        return
