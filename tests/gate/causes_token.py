"""How a requester's own token comes to be refused: one cause for each code; the many ways stand elsewhere."""

from broker.client import Reply
from broker.signing import SigningKey
from policies.refusals import Code
from tests.forging import forge, header_for
from tests.gate.carriers import BY_NAME, CONSENT
from tests.gate.scene import Scene, new_centre, prepare
from tests.gate.table import Row
from tests.world import World

EXCHANGE = BY_NAME["exchange"]


async def _exchange(scene: Scene, token: str) -> Reply:
    return await EXCHANGE.send(scene, token)


async def two_parts(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene).rpartition(".")[0])


async def an_id_that_is_no_id(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, jti="徐建国" * 10))


async def a_consents_type(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, typ=CONSENT))


async def a_key_nobody_registered(world: World) -> Reply:
    scene, stranger = await prepare(world), SigningKey.generate()
    return await _exchange(scene, forge(stranger, header_for(stranger, EXCHANGE.typ), EXCHANGE.claims(scene)))


async def a_devices_key(world: World) -> Reply:
    scene = await prepare(world)
    device = scene.phone.key
    return await _exchange(scene, forge(device, header_for(device, EXCHANGE.typ), EXCHANGE.claims(scene)))


async def another_algorithm(world: World) -> Reply:
    scene = await prepare(world)
    key = scene.centre.key
    return await _exchange(scene, forge(key, header_for(key, EXCHANGE.typ, alg="EdDSA"), EXCHANGE.claims(scene)))


async def a_strangers_signature(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, key=SigningKey.generate()))


async def another_brokers_address(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, aud="https://broker.example"))


async def a_second_too_late(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, iat=scene.now - 60, exp=scene.now))


async def a_minute_too_early(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, iat=scene.now + 60, exp=scene.now + 120))


async def a_second_too_long(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, exp=scene.now + 61))


async def another_requesters_name(world: World) -> Reply:
    scene, other = await prepare(world), await new_centre(world)
    return await _exchange(scene, EXCHANGE.make(scene, iss=other.requester))


async def a_case_like_an_id_number(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, case="321099198603120178"))


async def no_consents(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, consents=[]))


async def five_consents(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, consents=[scene.consent] * 5))


async def a_member_nobody_knows(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, purpose="curiosity"))


async def a_member_of_the_wrong_type(world: World) -> Reply:
    scene = await prepare(world)
    return await _exchange(scene, EXCHANGE.make(scene, consents={}))


TOKEN = "request"
ROWS = (
    Row(two_parts, 401, Code.MALFORMED_TOKEN, TOKEN),
    Row(an_id_that_is_no_id, 401, Code.MALFORMED_TOKEN, TOKEN),
    Row(a_consents_type, 401, Code.WRONG_TOKEN_TYPE, TOKEN),
    Row(a_key_nobody_registered, 401, Code.UNKNOWN_KEY, TOKEN),
    Row(a_devices_key, 401, Code.UNKNOWN_KEY, TOKEN),
    Row(another_algorithm, 401, Code.ALGORITHM_MISMATCH, TOKEN),
    Row(a_strangers_signature, 401, Code.BAD_SIGNATURE, TOKEN),
    Row(another_brokers_address, 401, Code.WRONG_AUDIENCE, TOKEN),
    Row(a_second_too_late, 401, Code.TOKEN_EXPIRED, TOKEN),
    Row(a_minute_too_early, 401, Code.TOKEN_NOT_YET_VALID, TOKEN),
    Row(a_second_too_long, 401, Code.LIFETIME_TOO_LONG, TOKEN),
    Row(another_requesters_name, 401, Code.UNKNOWN_REQUESTER, TOKEN),
    Row(a_case_like_an_id_number, 422, Code.INVALID_REQUEST, TOKEN),
    Row(no_consents, 422, Code.INVALID_REQUEST, TOKEN),
    Row(five_consents, 422, Code.INVALID_REQUEST, TOKEN),
    Row(a_member_nobody_knows, 422, Code.INVALID_REQUEST, TOKEN),
    Row(a_member_of_the_wrong_type, 422, Code.INVALID_REQUEST, TOKEN),
)
