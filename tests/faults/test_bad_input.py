"""Any bytes at any address: a problem with a code, never a 500, never a hang, at most one log line, no value in it."""

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.faults.raw_http import CANARY, judged, request
from tests.world import World

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
