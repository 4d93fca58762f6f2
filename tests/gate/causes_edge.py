"""How the wire itself refuses: addresses, methods, sizes, types, and a ledger in trouble."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from broker.client import Reply, read_reply
from broker.overload import SHARE
from policies.refusals import Code
from tests.gate.carriers import BY_NAME
from tests.gate.causes_requester import pull
from tests.gate.scene import new_centre, prepare
from tests.gate.table import Row
from tests.world import World

TOKEN_TYPE, JSON_TYPE = "application/jwt", "application/json"


async def _send(world: World, method: str, path: str, body: bytes | None = None, media_type: str = "") -> Reply:
    headers = {"Content-Type": media_type} if media_type else {}
    async with world.http.request(method, world.issuer + path, data=body, headers=headers) as response:
        return await read_reply(response)


async def no_such_address(world: World) -> Reply:
    return await _send(world, "GET", "/v1/nothing")


async def no_such_problem(world: World) -> Reply:
    return await _send(world, "GET", "/problems/nothing")


async def another_requesters_request(world: World) -> Reply:
    scene, other = await prepare(world), await new_centre(world)
    return await other.read(scene.request)


async def a_ticket_of_nothing(world: World) -> Reply:
    return await (await world.phone()).open("A" * 22)


async def a_consent_of_somebody_else(world: World) -> Reply:
    return await (await world.phone()).post(f"/v1/me/consents/{'A' * 22}/withdraw")


async def the_wrong_method(world: World) -> Reply:
    return await _send(world, "GET", "/v1/exchanges")


async def a_strange_method(world: World) -> Reply:
    return await _send(world, "DELETE", "/v1/catalogue")


async def an_exchange_above_48_kib(world: World) -> Reply:
    return await _send(world, "POST", "/v1/exchanges", b"a" * (48 * 1024 + 1), TOKEN_TYPE)


async def a_filing_above_16_kib(world: World) -> Reply:
    return await _send(world, "POST", "/v1/authorization-requests", b"a" * (16 * 1024 + 1), TOKEN_TYPE)


async def a_body_above_16_kib(world: World) -> Reply:
    phone = await world.phone()
    return await phone.post(f"/v1/me/requests/{'A' * 22}/consent", {"consent": "a" * (16 * 1024)})


async def a_consent_above_8_kib(world: World) -> Reply:
    scene = await prepare(world)
    consent = BY_NAME["consent"]
    return await consent.send(scene, consent.make(scene, more="a" * 6000))


async def json_where_a_token_belongs(world: World) -> Reply:
    return await _send(world, "POST", "/v1/exchanges", b"{}", JSON_TYPE)


async def no_type_where_json_belongs(world: World) -> Reply:
    phone = await world.phone()
    headers = {"Origin": world.issuer, "Content-Type": "text/plain"}
    address = f"{world.issuer}/v1/me/requests/{'A' * 22}/compose"
    async with phone.http.post(address, data=b"{}", headers=headers) as response:
        return await read_reply(response)


async def bytes_that_are_no_text(world: World) -> Reply:
    return await _send(world, "POST", "/v1/exchanges", b"\xff\xfe", TOKEN_TYPE)


async def a_query_that_is_no_number(world: World) -> Reply:
    scene = await prepare(world)
    read = BY_NAME["read"]
    headers = {"Authorization": f"Bearer {read.make(scene)}"}
    address = f"{world.issuer}/v1/authorization-requests/{scene.request}?wait=soon"
    async with world.http.get(address, headers=headers) as response:
        return await read_reply(response)


async def a_full_queue(world: World) -> Reply:
    scene = await prepare(world)
    ledger = world.broker.storage.ledger
    limit, ledger._queue_limit = ledger._queue_limit, 0
    try:
        return await pull(scene)
    finally:
        ledger._queue_limit = limit


async def one_more_than_its_share(world: World) -> Reply:
    scene = await prepare(world)
    places = world.broker.path.places
    with ExitStack() as held:
        for _ in range(SHARE * world.broker.settings.load.exchanges // (SHARE + 1)):
            held.enter_context(places.held_by(scene.centre.requester))
        return await pull(scene)


async def a_log_that_cannot_be_written(world: World) -> Reply:
    scene = await prepare(world)
    with _without_head(world):
        return await pull(scene)


@contextmanager
def _without_head(world: World) -> Iterator[None]:
    """Take the log's head away behind the ledger's back: no batch can be begun."""
    file = world.broker.settings.database
    assert isinstance(file, Path)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE audit_head RENAME TO audit_head_away")
        try:
            yield
        finally:
            connection.execute("ALTER TABLE audit_head_away RENAME TO audit_head")


ROWS = (
    Row(no_such_address, 404, Code.NOT_FOUND),
    Row(no_such_problem, 404, Code.NOT_FOUND),
    Row(another_requesters_request, 404, Code.NOT_FOUND),
    Row(a_ticket_of_nothing, 404, Code.NOT_FOUND),
    Row(a_consent_of_somebody_else, 404, Code.NOT_FOUND),
    Row(the_wrong_method, 405, Code.METHOD_NOT_ALLOWED),
    Row(a_strange_method, 405, Code.METHOD_NOT_ALLOWED),
    Row(an_exchange_above_48_kib, 413, Code.TOO_LARGE),
    Row(a_filing_above_16_kib, 413, Code.TOO_LARGE),
    Row(a_body_above_16_kib, 413, Code.TOO_LARGE),
    Row(a_consent_above_8_kib, 422, Code.MALFORMED_TOKEN, "consent", recorded=True),
    Row(json_where_a_token_belongs, 415, Code.UNSUPPORTED_MEDIA_TYPE),
    Row(no_type_where_json_belongs, 415, Code.UNSUPPORTED_MEDIA_TYPE),
    Row(bytes_that_are_no_text, 401, Code.MALFORMED_TOKEN, "request"),
    Row(a_query_that_is_no_number, 422, Code.INVALID_REQUEST),
    Row(a_full_queue, 503, Code.BUSY),
    Row(one_more_than_its_share, 429, Code.RATE_LIMITED),
    Row(a_log_that_cannot_be_written, 503, Code.LEDGER_UNAVAILABLE),
)
