"""How a person comes to be refused, and how a consent comes not to stand."""

import asyncio

from broker.client import Reply
from broker.demo.phone import Phone, open_phone
from connectors.departments.people import LIN, XU
from policies.refusals import Code
from policies.vocabulary import Person
from tests.gate.carriers import BY_NAME
from tests.gate.causes_requester import pull
from tests.gate.scene import Scene, new_centre, payload_of, prepare
from tests.gate.table import Row
from tests.world import World

CHOSEN = ["real_estate_registration", "hpf_remote_account"]
SIGN, CONSENT, WITHDRAW = BY_NAME["sign"], BY_NAME["consent"], BY_NAME["withdraw"]


def jti_of(scene: Scene) -> str:
    return str(payload_of(scene.consent)["jti"])


async def nobody_signed_in(world: World) -> Reply:
    return await _stranger(world).get("/v1/me/consents")


async def a_made_up_cookie(world: World) -> Reply:
    phone = _stranger(world)
    phone.http.cookie_jar.update_cookies({"broker_session": "x" * 43})
    return await phone.get("/v1/me/accesses")


async def sign_in_as_a_number_with_a_wrong_check_digit(world: World) -> Reply:
    return await _stranger(world, Person("佘无名", "321099200101010199"[:17] + "0")).sign_in()


async def from_another_page(world: World) -> Reply:
    scene = await prepare(world)
    headers = {"Origin": "https://evil.example"}
    address = f"{world.issuer}/v1/me/consents/{jti_of(scene)}/withdraw"
    async with scene.phone.http.post(address, json={}, headers=headers) as response:
        return Reply(response.status, await response.json(content_type=None))


async def from_no_page(world: World) -> Reply:
    scene = await prepare(world)
    async with scene.phone.http.post(f"{world.issuer}/v1/me/consents/{jti_of(scene)}/pause", json={}) as response:
        return Reply(response.status, await response.json(content_type=None))


async def another_person_opens(world: World) -> Reply:
    scene, other = await prepare(world), await world.phone(LIN)
    return await other.open(scene.ticket)


async def another_person_declines(world: World) -> Reply:
    scene, other = await prepare(world), await world.phone(LIN)
    return await other.post(f"/v1/me/requests/{scene.ticket}/decline")


async def another_persons_signature(world: World) -> Reply:
    scene, other = await prepare(world), await world.phone(LIN)
    return await SIGN.send(scene, SIGN.make(scene, key=other.key))


async def another_name_under_the_same_number(world: World) -> Reply:
    centre, phone = await new_centre(world), await world.phone(XU)
    _, ticket = await world.ask(centre, Person("徐某", XU.id_number))
    return await phone.open(ticket)


async def signed_in_too_weakly_to_sign(world: World) -> Reply:
    scene = await prepare(world)
    assert (await scene.phone.sign_in("low")).status == 204
    return await scene.phone.compose(scene.ticket, CHOSEN)


async def signed_in_too_weakly_to_enrol(world: World) -> Reply:
    phone = _stranger(world, XU)
    assert (await phone.sign_in("low")).status == 204
    return await phone.enrol()


async def signed_before_anything_was_shown(world: World) -> Reply:
    centre, phone = await new_centre(world), await world.phone()
    _, ticket = await world.ask(centre)
    return await phone.compose(ticket, CHOSEN)


async def a_required_item_left_out(world: World) -> Reply:
    scene = await prepare(world)
    return await scene.phone.compose(scene.ticket, ["deed_tax"])


async def an_item_that_was_not_offered(world: World) -> Reply:
    scene = await prepare(world)
    return await scene.phone.compose(scene.ticket, [*CHOSEN, "vehicle_registration"])


async def an_earlier_composition(world: World) -> Reply:
    scene = await prepare(world)
    assert (await scene.phone.compose(scene.ticket, CHOSEN)).status == 200
    return await SIGN.send(scene, SIGN.make(scene))


async def answered_before(world: World) -> Reply:
    scene = await prepare(world)
    assert (await scene.phone.post(f"/v1/me/requests/{scene.ticket}/decline")).status == 200
    return await SIGN.send(scene, SIGN.make(scene))


async def cancelled_before(world: World) -> Reply:
    scene = await prepare(world)
    assert (await scene.centre.change(scene.request, "cancel")).status == 200
    return await scene.phone.post(f"/v1/me/requests/{scene.ticket}/decline")


async def cancel_what_was_granted(world: World) -> Reply:
    scene = await prepare(world)
    return await scene.centre.change(str(payload_of(scene.consent)["req"]), "cancel")


async def resume_what_is_not_paused(world: World) -> Reply:
    scene = await prepare(world)
    return await scene.phone.post(f"/v1/me/consents/{jti_of(scene)}/resume")


async def withdraw_twice(world: World) -> Reply:
    scene = await _withdrawn(world)
    return await scene.phone.withdraw(jti_of(scene))


async def a_withdrawal_of_another_consent(world: World) -> Reply:
    scene = await prepare(world)
    return await WITHDRAW.send(scene, WITHDRAW.make(scene, consent="A" * 22))


async def a_nonce_used_twice(world: World) -> Reply:
    scene = await prepare(world)
    enrol = BY_NAME["enrol"]
    assert (await enrol.send(scene, enrol.make(scene))).status == 201
    return await enrol.send(scene, enrol.make(scene))


async def a_device_of_somebody_else(world: World) -> Reply:
    scene, other = await prepare(world), await world.phone(LIN)
    other.key = scene.phone.key
    return await other.enrol()


async def a_consent_never_granted(world: World) -> Reply:
    scene = await prepare(world)
    return await pull(scene, consents=[SIGN.make(scene)])


async def a_consent_changed_and_signed_again(world: World) -> Reply:
    scene = await prepare(world)
    return await CONSENT.send(scene, CONSENT.make(scene, uses=300))


async def after_withdrawal(world: World) -> Reply:
    return await pull(await _withdrawn(world))


async def withdrawn_while_the_department_is_asked(world: World) -> Reply:
    scene = await prepare(world)
    before = world.events().count("exchange.admitted")
    world.fleet.set_fault("tax", "slow", 0.6)
    try:
        pulling = asyncio.create_task(pull(scene))
        while world.events().count("exchange.admitted") == before:  # noqa: ASYNC110 - the log is another thread's
            await asyncio.sleep(0.01)
        assert (await scene.phone.withdraw(jti_of(scene))).status == 200
        reply = await pulling
    finally:
        world.fleet.set_fault("tax", "none")
    assert world.events()[-1] == "exchange.withheld"
    return reply


async def while_paused(world: World) -> Reply:
    scene = await prepare(world)
    assert (await scene.phone.post(f"/v1/me/consents/{jti_of(scene)}/pause")).status == 200
    return await pull(scene)


async def beyond_the_last_use(world: World) -> Reply:
    scene = await prepare(world)
    consent = await world.grant(scene.centre, scene.phone, uses=1)
    assert (await pull(scene, consents=[consent])).status == 200
    return await pull(scene, consents=[consent])


async def _withdrawn(world: World) -> Scene:
    scene = await prepare(world)
    assert (await scene.phone.withdraw(jti_of(scene))).status == 200
    return scene


def _stranger(world: World, person: Person = XU) -> Phone:
    phone = open_phone(world.issuer, person)
    world.phones.append(phone)
    return phone


TOKEN = "consent"
ROWS = (
    Row(nobody_signed_in, 401, Code.NOT_SIGNED_IN),
    Row(a_made_up_cookie, 401, Code.NOT_SIGNED_IN),
    Row(sign_in_as_a_number_with_a_wrong_check_digit, 422, Code.INVALID_REQUEST),
    Row(from_another_page, 403, Code.FORBIDDEN),
    Row(from_no_page, 403, Code.FORBIDDEN),
    Row(another_person_opens, 403, Code.NOT_THE_SUBJECT),
    Row(another_person_declines, 403, Code.NOT_THE_SUBJECT),
    Row(another_persons_signature, 422, Code.BAD_SIGNATURE, TOKEN),
    Row(another_name_under_the_same_number, 403, Code.NOT_THE_SUBJECT),
    Row(signed_in_too_weakly_to_sign, 403, Code.STEP_UP_REQUIRED),
    Row(signed_in_too_weakly_to_enrol, 403, Code.STEP_UP_REQUIRED),
    Row(signed_before_anything_was_shown, 422, Code.CONSENT_MISMATCH),
    Row(a_required_item_left_out, 422, Code.INVALID_REQUEST),
    Row(an_item_that_was_not_offered, 422, Code.UNKNOWN_ITEM),
    Row(an_earlier_composition, 422, Code.CONSENT_MISMATCH, TOKEN),
    Row(answered_before, 409, Code.ALREADY_DECIDED),
    Row(cancelled_before, 409, Code.ALREADY_DECIDED),
    Row(cancel_what_was_granted, 409, Code.ALREADY_DECIDED),
    Row(resume_what_is_not_paused, 409, Code.ALREADY_DECIDED),
    Row(withdraw_twice, 409, Code.CONSENT_WITHDRAWN),
    Row(a_withdrawal_of_another_consent, 422, Code.CONSENT_MISMATCH, "withdrawal"),
    Row(a_nonce_used_twice, 409, Code.REPLAYED, "device"),
    Row(a_device_of_somebody_else, 403, Code.FORBIDDEN, "device"),
    Row(a_consent_never_granted, 422, Code.CONSENT_UNKNOWN, TOKEN, recorded=True),
    Row(a_consent_changed_and_signed_again, 422, Code.CONSENT_MISMATCH, TOKEN, recorded=True),
    Row(after_withdrawal, 409, Code.CONSENT_WITHDRAWN, TOKEN, recorded=True),
    Row(withdrawn_while_the_department_is_asked, 409, Code.CONSENT_WITHDRAWN, TOKEN),
    Row(while_paused, 409, Code.CONSENT_PAUSED, TOKEN, recorded=True),
    Row(beyond_the_last_use, 409, Code.CONSENT_USED_UP, TOKEN, recorded=True),
)
