"""How time alone comes to refuse: each of these steps the world's clock, so each needs a world of its own."""

from broker.client import Reply
from policies.refusals import Code
from tests.gate.carriers import BY_NAME
from tests.gate.causes_citizen import CHOSEN, jti_of
from tests.gate.causes_requester import pull
from tests.gate.scene import prepare
from tests.gate.table import Row
from tests.world import World

AN_HOUR = 3600


async def a_consent_past_its_time(world: World) -> Reply:
    scene = await prepare(world)
    consent = await world.grant(scene.centre, scene.phone, valid_for=60)
    world.clock.advance(61)
    return await pull(scene, consents=[consent])


async def resumed_past_its_time(world: World) -> Reply:
    scene = await prepare(world)
    assert (await scene.phone.post(f"/v1/me/consents/{jti_of(scene)}/pause")).status == 200
    world.clock.advance(31 * 24 * AN_HOUR)
    assert (await scene.phone.sign_in()).status == 204
    return await scene.phone.post(f"/v1/me/consents/{jti_of(scene)}/resume")


async def a_counters_code_after_five_minutes(world: World) -> Reply:
    scene = await prepare(world)
    _, ticket = await world.ask(scene.centre, mode="counter")
    assert (await scene.phone.open(ticket)).status == 200
    world.clock.advance(5 * 60)
    return await scene.phone.compose(ticket, CHOSEN)


async def opened_after_three_days(world: World) -> Reply:
    scene = await prepare(world)
    world.clock.advance(72 * AN_HOUR)
    assert (await scene.phone.sign_in()).status == 204
    return await scene.phone.open(scene.ticket)


async def a_session_after_half_an_hour(world: World) -> Reply:
    scene = await prepare(world)
    world.clock.advance(30 * 60)
    return await scene.phone.get("/v1/me/consents")


async def withdrawn_by_an_old_sign_in(world: World) -> Reply:
    scene = await prepare(world)
    world.clock.advance(5 * 60 + 1)
    return await scene.phone.withdraw(jti_of(scene), with_device=False)


async def a_clock_set_back(world: World) -> Reply:
    scene = await prepare(world)
    exchange = BY_NAME["exchange"]
    token = exchange.make(scene)
    world.clock.advance(120)
    assert (await scene.centre.change(scene.request, "cancel")).status == 200  # an entry remembers how late it was
    world.clock.advance(-120)
    return await exchange.send(scene, token)


async def a_repeat_after_ten_minutes(world: World) -> Reply:
    scene = await prepare(world)
    body = scene.body()
    assert (await scene.centre.exchange(**body)).status == 200
    world.clock.advance(10 * 60 + 1)
    return await scene.centre.exchange(**body)


async def a_fourth_repeat(world: World) -> Reply:
    scene = await prepare(world)
    body = scene.body()
    for _ in range(4):
        reply = await scene.centre.exchange(**body)
        assert reply.members["uses"] == [{"party": "applicant", "use": 1, "left": 2}]
    return await scene.centre.exchange(**body)


ROWS = (
    Row(a_consent_past_its_time, 409, Code.CONSENT_EXPIRED, "consent", recorded=True),
    Row(resumed_past_its_time, 409, Code.CONSENT_EXPIRED),
    Row(a_counters_code_after_five_minutes, 409, Code.REQUEST_EXPIRED),
    Row(opened_after_three_days, 409, Code.REQUEST_EXPIRED),
    Row(a_session_after_half_an_hour, 401, Code.NOT_SIGNED_IN),
    Row(withdrawn_by_an_old_sign_in, 403, Code.STEP_UP_REQUIRED),
    Row(a_clock_set_back, 401, Code.TOKEN_EXPIRED, "request"),
    Row(a_repeat_after_ten_minutes, 409, Code.CONSENT_USED_UP, "consent", recorded=True),
    Row(a_fourth_repeat, 409, Code.CONSENT_USED_UP, "consent", recorded=True),
)
