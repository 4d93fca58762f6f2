"""How a requester comes to be refused: by its own token, by what it asks, by what it may."""

import asyncio
from typing import Any

from sqlalchemy import update

from broker import requesters, stops, tables
from broker.client import Reply, read_reply
from policies.refusals import Code
from tests.gate.carriers import BY_NAME
from tests.gate.scene import OTHER_MATTER, Scene, new_centre, payload_of, prepare
from tests.gate.table import Row
from tests.world import MATTER, World

FILE, READ, EXCHANGE = BY_NAME["file"], BY_NAME["read"], BY_NAME["exchange"]


async def pull(scene: Scene, **changed: object) -> Reply:
    return await scene.centre.exchange(**scene.body(**changed))


async def the_same_request_twice(world: World) -> Reply:
    scene = await prepare(world)
    token = EXCHANGE.make(scene)
    assert (await EXCHANGE.send(scene, token)).status == 200
    return await EXCHANGE.send(scene, token)


async def the_same_filing_twice(world: World) -> Reply:
    scene = await prepare(world)
    token = FILE.make(scene)
    assert (await FILE.send(scene, token)).status == 201
    return await FILE.send(scene, token)


async def the_same_read_twice(world: World) -> Reply:
    scene = await prepare(world)
    token = READ.make(scene)
    assert (await READ.send(scene, token)).status == 200
    return await READ.send(scene, token)


async def one_jti_for_two_kinds(world: World) -> Reply:
    scene = await prepare(world)
    token = FILE.make(scene)
    assert (await FILE.send(scene, token)).status == 201
    jti = payload_of(token)["jti"]
    return await EXCHANGE.send(scene, EXCHANGE.make(scene, jti=jti))


async def no_authorization(world: World) -> Reply:
    address = f"{world.issuer}/v1/authorization-requests/ar_x"
    async with world.http.get(address) as response:
        return await read_reply(response)


async def a_read_token_for_another_address(world: World) -> Reply:
    scene = await prepare(world)
    return await READ.send(scene, READ.make(scene, htu=f"{world.issuer}/v1/authorization-requests"))


async def a_read_token_for_another_method(world: World) -> Reply:
    scene = await prepare(world)
    return await READ.send(scene, READ.make(scene, htm="POST"))


async def a_removed_key_exchanges(world: World) -> Reply:
    scene = await _with_removed_key(world)
    return await pull(scene)


async def a_removed_key_files(world: World) -> Reply:
    scene = await _with_removed_key(world)
    return await FILE.send(scene, FILE.make(scene))


async def a_removed_key_reads(world: World) -> Reply:
    scene = await _with_removed_key(world)
    return await READ.send(scene, READ.make(scene))


async def a_suspended_requester_exchanges(world: World) -> Reply:
    return await pull(await _suspended(world))


async def a_suspended_requester_files(world: World) -> Reply:
    scene = await _suspended(world)
    return await FILE.send(scene, FILE.make(scene))


async def a_suspended_requester_reads(world: World) -> Reply:
    scene = await _suspended(world)
    return await READ.send(scene, READ.make(scene))


async def another_requester(world: World) -> Reply:
    scene, other = await prepare(world), await new_centre(world)
    return await other.exchange(**scene.body())


async def another_case(world: World) -> Reply:
    return await pull(await prepare(world), case="YZ-2026-000124")


async def another_matter(world: World) -> Reply:
    return await pull(await prepare(world), matter=OTHER_MATTER)


async def no_such_matter(world: World) -> Reply:
    return await pull(await prepare(world), matter="no_such_matter")


async def file_no_such_matter(world: World) -> Reply:
    return await (await new_centre(world)).file(matter="no_such_matter", case="c-1")


async def a_matter_it_is_not_registered_for(world: World) -> Reply:
    return await (await new_centre(world)).file(matter=OTHER_MATTER, case="c-1")


async def no_such_item(world: World) -> Reply:
    return await pull(await prepare(world), items=[{"party": "applicant", "item": "no_such_item"}])


async def file_an_item_the_matter_does_not_need(world: World) -> Reply:
    centre = await new_centre(world)
    return await centre.file(matter=MATTER, case="c-1", items=[{"item": "vehicle_registration"}])


async def an_item_left_out_by_the_person(world: World) -> Reply:
    scene = await prepare(world)
    consent = await world.grant(scene.centre, scene.phone, ["real_estate_registration", "hpf_remote_account"])
    return await pull(scene, consents=[consent], items=[{"party": "applicant", "item": "deed_tax"}])


async def an_item_of_a_party_without_consent(world: World) -> Reply:
    return await pull(await prepare(world), items=[{"party": "spouse", "item": "deed_tax"}])


async def a_field_left_out_by_the_person(world: World) -> Reply:
    scene = await prepare(world)
    chosen = ["real_estate_registration", "hpf_remote_account", {"item": "deed_tax", "fields": ["paid_date"]}]
    consent = await world.grant(scene.centre, scene.phone, chosen)
    item = {"party": "applicant", "item": "deed_tax", "fields": ["paid_date", "paid_amount"]}
    return await pull(scene, consents=[consent], items=[item])


async def a_field_that_only_the_catalogue_knows(world: World) -> Reply:
    item = {"party": "applicant", "item": "deed_tax", "fields": ["taxpayer_id"]}
    return await pull(await prepare(world), items=[item])


async def nobody_named_who_asks(world: World) -> Reply:
    return await pull(await prepare(world), operator=None)


async def an_item_asked_twice(world: World) -> Reply:
    return await pull(await prepare(world), items=[{"party": "applicant", "item": "deed_tax"}] * 2)


async def no_items(world: World) -> Reply:
    return await pull(await prepare(world), items=[])


async def one_consent_twice(world: World) -> Reply:
    scene = await prepare(world)
    return await pull(scene, consents=[scene.consent] * 2)


async def everything_is_stopped(world: World) -> Reply:
    return await _stopped(await prepare(world), "")


async def one_item_is_stopped(world: World) -> Reply:
    return await _stopped(await prepare(world), "deed_tax")


async def the_same_exchange_of_something_else(world: World) -> Reply:
    scene = await prepare(world)
    body = scene.body()
    assert (await scene.centre.exchange(**body)).status == 200
    return await scene.centre.exchange(**body | {"items": [{"party": "applicant", "item": "deed_tax"}]})


async def the_first_still_runs(world: World) -> Reply:
    scene = await prepare(world)
    body = scene.body()
    admitted = world.events().count("exchange.admitted")
    world.fleet.set_fault("tax", "slow", 0.6)
    try:
        first = asyncio.create_task(scene.centre.exchange(**body))
        while world.events().count("exchange.admitted") == admitted:  # noqa: ASYNC110 - the log is another thread's
            await asyncio.sleep(0.01)
        second = await scene.centre.exchange(**body)
        assert (await first).status == 200
    finally:
        world.fleet.set_fault("tax", "none")
    return second


async def _with_removed_key(world: World) -> Scene:
    scene = await prepare(world)
    key = tables.requester_key

    def remove(transaction: Any) -> None:
        mine = update(key).where(key.c.kid == scene.centre.key.public.kid)
        transaction.connection.execute(mine.values(removed_at=transaction.time // 1_000_000))

    await world.broker.storage.record(remove)
    return scene


async def _suspended(world: World) -> Scene:
    scene = await prepare(world)
    await world.broker.storage.record(lambda transaction: requesters.suspend(transaction, scene.centre.requester))
    return scene


async def _stopped(scene: Scene, item: str) -> Reply:
    storage = scene.world.broker.storage
    await storage.record(lambda transaction: stops.stop_releases(transaction, item, "a test"))
    try:
        return await pull(scene)
    finally:
        await storage.record(lambda transaction: stops.start_releases(transaction, item))


REQUEST, CONSENT = "request", "consent"
ROWS = (
    Row(the_same_request_twice, 409, Code.REPLAYED, REQUEST),
    Row(the_same_filing_twice, 409, Code.REPLAYED, REQUEST),
    Row(the_same_read_twice, 409, Code.REPLAYED, REQUEST),
    Row(one_jti_for_two_kinds, 409, Code.REPLAYED, REQUEST),
    Row(no_authorization, 401, Code.MALFORMED_TOKEN),
    Row(a_read_token_for_another_address, 401, Code.WRONG_AUDIENCE, REQUEST),
    Row(a_read_token_for_another_method, 401, Code.WRONG_AUDIENCE, REQUEST),
    Row(a_removed_key_exchanges, 401, Code.UNKNOWN_KEY, REQUEST, recorded=True),
    Row(a_removed_key_files, 401, Code.UNKNOWN_KEY, REQUEST),
    Row(a_removed_key_reads, 401, Code.UNKNOWN_KEY, REQUEST),
    Row(a_suspended_requester_exchanges, 403, Code.REQUESTER_SUSPENDED, recorded=True),
    Row(a_suspended_requester_files, 403, Code.REQUESTER_SUSPENDED),
    Row(a_suspended_requester_reads, 403, Code.REQUESTER_SUSPENDED),
    Row(another_requester, 403, Code.NOT_THE_REQUESTER, CONSENT, recorded=True),
    Row(another_case, 403, Code.CASE_MISMATCH, CONSENT, recorded=True),
    Row(another_matter, 403, Code.MATTER_MISMATCH, CONSENT, recorded=True),
    Row(no_such_matter, 422, Code.UNKNOWN_MATTER, recorded=True),
    Row(file_no_such_matter, 422, Code.UNKNOWN_MATTER),
    Row(a_matter_it_is_not_registered_for, 403, Code.POLICY_REFUSED),
    Row(no_such_item, 422, Code.UNKNOWN_ITEM, recorded=True),
    Row(file_an_item_the_matter_does_not_need, 422, Code.UNKNOWN_ITEM),
    Row(an_item_left_out_by_the_person, 403, Code.ITEM_NOT_GRANTED, recorded=True),
    Row(an_item_of_a_party_without_consent, 403, Code.ITEM_NOT_GRANTED, recorded=True),
    Row(a_field_left_out_by_the_person, 403, Code.FIELD_NOT_GRANTED, recorded=True),
    Row(a_field_that_only_the_catalogue_knows, 403, Code.FIELD_NOT_GRANTED, recorded=True),
    Row(nobody_named_who_asks, 403, Code.POLICY_REFUSED, recorded=True),
    Row(an_item_asked_twice, 422, Code.INVALID_REQUEST, REQUEST, recorded=True),
    Row(no_items, 422, Code.INVALID_REQUEST, REQUEST, recorded=True),
    Row(one_consent_twice, 422, Code.INVALID_REQUEST, REQUEST, recorded=True),
    Row(everything_is_stopped, 503, Code.RELEASES_STOPPED, recorded=True),
    Row(one_item_is_stopped, 503, Code.RELEASES_STOPPED, recorded=True),
    Row(the_same_exchange_of_something_else, 409, Code.EXCHANGE_CONFLICT, recorded=True),
    Row(the_first_still_runs, 409, Code.EXCHANGE_RUNNING, recorded=True),
)
