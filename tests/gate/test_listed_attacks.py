"""Every attack of the list in `jwt_tool/attacks.json`, by its id, against the gate; one that we do not know fails here.

All are sent where a requester's token and where a citizen's token is taken, inside an exchange.
"""

import asyncio
import json

import pytest

from policies.refusals import Code
from tests.forging import forge, header_for
from tests.gate.attacks import ATTACKS, tried_elsewhere
from tests.gate.carriers import BY_NAME, Carrier
from tests.gate.scene import Scene, new_centre, problem
from tests.vectors_folder import vectors

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAKERS = (BY_NAME["exchange"], BY_NAME["consent"])
PATHS = (
    "/jwks.json",
    "/.well-known/jwks",
    "/openid/connect/jwks.json",
    "/jwks",
    "/api/keys",
    "/v1/certs",
    "/oauth2/keys",
)


async def test_every_listed_attack_is_known() -> None:
    listed = json.loads(vectors("token", "jwt_tool", "attacks.json").read_bytes())["attacks"]
    assert {attack["id"] for attack in listed} == set(ATTACKS)
    assert len(listed) == 22


@pytest.mark.parametrize("taker", TAKERS, ids=lambda carrier: carrier.name)
@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if ATTACKS[attack] is not tried_elsewhere])
async def test_attack(scene: Scene, attack: str, taker: Carrier) -> None:
    before = len(scene.world.entries())
    tokens = ATTACKS[attack](scene, taker)
    assert tokens
    replies = dict(zip(tokens, await asyncio.gather(*(taker.send(scene, t) for t in tokens.values())), strict=True))
    # What gets past the form may be refused for its meaning: another status of the closed list, but a refusal always
    statuses = {401, 403, 413, 422} if taker.name == "exchange" else {409, 422}
    assert {name: problem(reply) for name, reply in replies.items() if reply.status not in statuses} == {}
    events = {entry["event"] for entry in scene.world.entries()[before:]}
    assert events <= {"exchange.refused"}


async def test_persistence(scene: Scene) -> None:
    # After all of the above, and around a forged one, the good token still passes, and passes once
    exchange, consent = TAKERS
    good = exchange.make(scene)
    forged = good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB")
    assert (await exchange.send(scene, forged)).status == 401
    assert (await exchange.send(scene, good)).status == 200
    assert problem(await exchange.send(scene, good)) == (409, Code.REPLAYED, "request")
    assert (await consent.send(scene, consent.make(scene))).status == 200
    scene.world.check_log()


async def test_no_private_key_leaks(scene: Scene) -> None:
    world, found = scene.world, []
    for path in PATHS:
        async with world.http.get(world.issuer + path) as response:
            found.append(response.status)
    assert set(found) == {404}
    async with world.http.get(f"{world.issuer}/.well-known/jwks.json") as response:
        keys = (await response.json(content_type=None))["keys"]
    assert keys
    assert all(key.keys() & {"d", "k", "p", "q"} == set() for key in keys)


async def test_nobody_else_speaks_for_a_centre(scene: Scene) -> None:
    # The sharpest substitution: a centre that is itself registered signs in another's name
    other = await new_centre(scene.world)
    stolen = forge(other.key, header_for(other.key, TAKERS[0].typ), TAKERS[0].claims(scene))
    assert problem(await TAKERS[0].send(scene, stolen)) == (401, Code.UNKNOWN_REQUESTER, "request")
