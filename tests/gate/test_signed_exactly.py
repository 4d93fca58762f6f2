"""A device signs exactly what was composed: one member more, less or other is a text that nobody offered."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from policies.refusals import Code
from tests.forging import forge, header_for, sign_parts
from tests.gate.carriers import BY_NAME, CONSENT, Carrier
from tests.gate.scene import Scene, prepare, problem
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIGN, EXCHANGE = BY_NAME["sign"], BY_NAME["consent"]
BOTH = pytest.mark.parametrize("carrier", [SIGN, EXCHANGE], ids=lambda carrier: carrier.name)

MISMATCH: Mapping[str, Any] = {
    "sub": "A" * 22,
    "client_id": "another-centre",
    "req": "ar_another",
    "iat": -1,
    "nbf": -1,
    "exp": +1,
    "uses": +1,
    "party": "spouse",
    "matter": "another_matter",
    "matter_version": "2026-12",
    "case": "YZ-2026-000124",
    "notice.id": "another_notice",
    "notice.version": "2026-12",
    "notice.lang": "en",
    "notice.sha256": "0" * 64,
    "channel.mode": "counter",
    "channel.act": "somebody",
    "channel.evidence_sha256": "0" * 64,
    "authorization_details.0.item": "deed_tax",
    "authorization_details.0.department": "taxation",
    "authorization_details.0.fields": ["location"],
    "authorization_details.0.fields.0": "owner_id_number",
    "authorization_details.0.purpose": "没有什么",
    "authorization_details.0.legal_basis": "consent",
    "authorization_details.0.keep_days": +1,
    "authorization_details.0.params": {"division_code": "321002"},
    "authorization_details.0.expect": {"location": "somewhere"},
    "authorization_details": [],
    "authorization_details.1": ...,
}
"""Well-formed and signed by the right device: only it is not what was given out. A number is added to what stands."""

MALFORMED: Mapping[str, Any] = {
    "ver": 2,
    "more": "a member",
    "notice.more": "a member",
    "channel.more": "a member",
    "authorization_details.0.more": "a member",
    "authorization_details.0.type": "everything",
    "party": "neighbour",
    "channel.mode": "telepathy",
    "authorization_details.0.legal_basis": "curiosity",
    "uses": True,
    "authorization_details.0.fields": "location",
    "authorization_details.0.params": {"division_code": 1},
    "authorization_details": {},
    **dict.fromkeys(("ver", "sub", "aud", "client_id", "req", "nbf", "uses", "party", "matter", "case", "notice"), ...),
}
"""Not the protocol's shape at all; `...` leaves the member out."""


@BOTH
@pytest.mark.parametrize("path", MISMATCH)
async def test_one_member_differs(scene: Scene, carrier: Carrier, path: str) -> None:
    reply = await carrier.send(scene, _changed(scene, carrier, path, MISMATCH[path]))
    assert problem(reply) == (422, Code.CONSENT_MISMATCH, "consent")


@BOTH
@pytest.mark.parametrize(("path", "value"), MALFORMED.items())
async def test_one_member_is_of_no_known_shape(scene: Scene, carrier: Carrier, path: str, value: object) -> None:
    reply = await carrier.send(scene, _changed(scene, carrier, path, value))
    assert problem(reply) == (422, Code.MALFORMED_TOKEN, "consent")


@BOTH
@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("iss", "A" * 43, Code.CONSENT_MISMATCH),
        ("jti", "A" * 22, None),
        ("aud", "https://broker.example", Code.WRONG_AUDIENCE),
        ("iat", +60, Code.TOKEN_NOT_YET_VALID),
        ("nbf", +60, Code.TOKEN_NOT_YET_VALID),
    ],
)
async def test_members_with_codes_of_their_own(
    scene: Scene, carrier: Carrier, path: str, value: object, code: Code | None
) -> None:
    # Another id is another consent: unknown to an exchange, and not what was composed to the citizen's address
    expected = code or (Code.CONSENT_UNKNOWN if carrier is EXCHANGE else Code.CONSENT_MISMATCH)
    reply = await carrier.send(scene, _changed(scene, carrier, path, value))
    assert problem(reply) == (422, expected, "consent")


async def test_nothing_of_it_became_a_consent(scene: Scene) -> None:
    events = scene.world.events()
    assert events.count("consent.granted") == 1
    assert "exchange.admitted" not in events
    assert len(scene.world.entries()) == len(events)
    scene.world.check_log()


async def test_the_same_members_in_another_order_are_the_same_consent(shared: World) -> None:
    scene = await prepare(shared)
    turned = dict(reversed(list(scene.composed.items())))
    text = json.dumps(turned, ensure_ascii=True, indent=1).encode()
    token = sign_parts(scene.phone.key, header_for(scene.phone.key, CONSENT), text)
    assert (await SIGN.send(scene, token)).status == 201
    # The exchange takes any true signature over it: a consent is known by its ids, never by its text
    again = forge(scene.phone.key, header_for(scene.phone.key, CONSENT), scene.composed)
    assert again != token
    assert (await EXCHANGE.send(scene, again)).status == 200


def _changed(scene: Scene, carrier: Carrier, path: str, value: object) -> str:
    claims: Any = json.loads(json.dumps(carrier.claims(scene)))
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    at = claims
    for step in way:
        at = at[step]
    if value is ...:
        del at[last]
    elif type(value) is int and last != "ver":
        at[last] += value
    else:
        at[last] = value
    assert json.dumps(claims) != json.dumps(carrier.claims(scene))
    return forge(scene.phone.key, header_for(scene.phone.key, CONSENT), claims)
