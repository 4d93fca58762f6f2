"""The same attacks at every place that takes a token: form, kind, key, algorithm, signature, audience and times.

The scene is one and the same throughout; at the end every place still takes its own good token, so that each refusal
above was for what was changed, and no refusal spent or spoilt anything.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from broker.client import Reply
from broker.demo.phone import ticket_of
from broker.signing import SigningKey
from consent.keys import strict_base64url, to_base64url
from policies.refusals import Code
from tests.forging import forge, header_for
from tests.gate.carriers import BY_NAME, CARRIERS, RENEW, TYPES, Carrier
from tests.gate.forms import FORMS
from tests.gate.scene import Scene, new_centre, prepare, problem
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERYWHERE = pytest.mark.parametrize("carrier", [*CARRIERS, RENEW], ids=lambda carrier: carrier.name)
AT_ONCE = asyncio.Semaphore(8)

UNSENDABLE = {
    "read": {"a line end"},  # no header can hold one
    "renew": {"a line end"},
    "withdraw": {"empty"},  # says that there is no token: then the fresh sign-in counts
}


async def refuse_all(scene: Scene, carrier: Carrier, tokens: Mapping[str, str]) -> dict[str, tuple[int, str, str]]:
    """Send each; what came back, by name. The log holds what it must: an entry for each, or none."""
    before = len(scene.world.entries())

    async def send(token: str) -> Reply:
        async with AT_ONCE:
            return await carrier.send(scene, token)

    replies = await asyncio.gather(*map(send, tokens.values()))
    new = scene.world.entries()[before:]
    expected = [reply.code for reply in replies] if carrier.recorded else []
    assert sorted(entry["body"]["code"] for entry in new) == sorted(expected)
    assert {entry["event"] for entry in new} <= {"exchange.refused"}
    for reply in replies:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        assert headers["content-type"] == "application/problem+json"
        assert headers["cache-control"] == "no-store"
        assert headers["x-request-id"] == reply.members["request_id"]
    return {name: problem(reply) for name, reply in zip(tokens, replies, strict=True)}


@EVERYWHERE
async def test_every_wrong_form(scene: Scene, carrier: Carrier) -> None:
    key, header = carrier.key(scene), header_for(carrier.key(scene), carrier.typ)
    tokens = {
        name: form(key, header, carrier.claims(scene))
        for name, form in FORMS.items()
        if name not in UNSENDABLE.get(carrier.name, set())
    }
    assert len(tokens) >= 75
    found = await refuse_all(scene, carrier, tokens)
    expected = (carrier.status, Code.MALFORMED_TOKEN, carrier.token)
    assert {name: was for name, was in found.items() if was != expected} == {}


@EVERYWHERE
async def test_every_wrong_kind(scene: Scene, carrier: Carrier) -> None:
    strange = ("JWT", "", "at+jwt", carrier.typ.upper(), f"application/{carrier.typ}", f"{carrier.typ} ")
    kinds = [*(typ for typ in TYPES if typ != carrier.typ), *strange]
    assert len(kinds) == 12
    signer = carrier.key(scene)
    tokens = {typ: forge(signer, header_for(signer, typ), carrier.claims(scene)) for typ in kinds}
    found = await refuse_all(scene, carrier, tokens)
    assert set(found.values()) == {(carrier.status, Code.WRONG_TOKEN_TYPE, carrier.token)}


@EVERYWHERE
async def test_every_wrong_key_and_signature(scene: Scene, carrier: Carrier) -> None:
    stranger, signer, claims = SigningKey.generate(), carrier.key(scene), carrier.claims(scene)
    good = carrier.make(scene)
    tokens = {
        "a stranger's key": forge(stranger, header_for(stranger, carrier.typ), claims),
        "the other alphabet of kids": forge(signer, header_for(signer, carrier.typ, kid="../../dev/null"), claims),
        "an empty kid": forge(signer, header_for(signer, carrier.typ, kid=""), claims),
        "a stranger under this kid": forge(stranger, header_for(signer, carrier.typ), claims),
        "one bit of the signature": _flipped(good, 2),
        "one bit of the payload": _flipped(good, 1),
        "64 zero bytes": f"{good.rpartition('.')[0]}.{to_base64url(bytes(64))}",
        "EdDSA": forge(signer, header_for(signer, carrier.typ, alg="EdDSA"), claims),
        "Ed25519": forge(signer, header_for(signer, carrier.typ, alg="Ed25519"), claims),
        "ES384": forge(signer, header_for(signer, carrier.typ, alg="ES384"), claims),
        "none": forge(signer, header_for(signer, carrier.typ, alg="none"), claims),
        "lower case": forge(signer, header_for(signer, carrier.typ, alg="es256"), claims),
    }
    found = await refuse_all(scene, carrier, tokens)
    codes = [Code.UNKNOWN_KEY] * 3 + [Code.BAD_SIGNATURE] * 4 + [Code.ALGORITHM_MISMATCH] * 5
    if carrier.name == "enrol":  # its key comes along with it: any other is simply not that key
        assert found["a stranger's key"][1] == Code.UNKNOWN_KEY
    # A flipped bit of the payload may break the JSON first; both are refusals of that very token
    if found["one bit of the payload"][1] == Code.MALFORMED_TOKEN:
        codes[5] = Code.MALFORMED_TOKEN
    assert found == {name: (carrier.status, code, carrier.token) for name, code in zip(tokens, codes, strict=True)}


@EVERYWHERE
async def test_every_wrong_audience(scene: Scene, carrier: Carrier) -> None:
    here = scene.world.issuer
    audiences: list[object] = [f"{here}/", here.upper(), "https://other.example", "", here[:-1]]
    if carrier.token != "consent":  # there the whole payload is typed, so anything but a text is malformed
        audiences += [[here], [here, "https://other.example"], None, ..., True, {}]
    tokens = {repr(aud): carrier.make(scene, aud=aud) for aud in audiences}
    found = await refuse_all(scene, carrier, tokens)
    assert set(found.values()) == {(carrier.status, Code.WRONG_AUDIENCE, carrier.token)}


@EVERYWHERE
async def test_every_wrong_time(scene: Scene, carrier: Carrier) -> None:
    now, long = scene.now, 3600
    late, soon = (Code.TOKEN_EXPIRED, Code.TOKEN_NOT_YET_VALID)
    consent = carrier.token == "consent"
    cases: dict[str, tuple[dict[str, Any], Code]] = {
        "exp is now": ({"iat": now - 5, "exp": now}, Code.CONSENT_EXPIRED if consent else late),
        "exp is long ago": ({"iat": 5, "exp": 9}, Code.CONSENT_EXPIRED if consent else late),
        "iat is far ahead": ({"iat": now + 60, "exp": now + 90}, soon),
        "nbf is far ahead": ({"nbf": now + 60}, soon),
    }
    if not consent:
        cases["61 s of life"] = ({"iat": now - 5, "exp": now + 56}, Code.LIFETIME_TOO_LONG)
        cases["an hour of life"] = ({"iat": now, "exp": now + long}, Code.LIFETIME_TOO_LONG)
        cases["exp before iat"] = ({"iat": now - 5, "exp": now - 6}, late)
    tokens = {name: carrier.make(scene, **times) for name, (times, _) in cases.items()}
    found = await refuse_all(scene, carrier, tokens)
    # An ended consent is a state, 409, not a fault of the token's making
    expected = {
        name: (409 if code is Code.CONSENT_EXPIRED else carrier.status, code, carrier.token)
        for name, (_, code) in cases.items()
    }
    assert found == expected


@pytest.mark.parametrize("name", ["file", "read", "exchange"])
async def test_a_key_speaks_for_its_own_requester_only(scene: Scene, name: str) -> None:
    carrier, other = BY_NAME[name], await new_centre(scene.world)
    tokens = {
        "a registered one": carrier.make(scene, iss=other.requester),
        "nobody": carrier.make(scene, iss="no-such-centre"),
        "the key itself": carrier.make(scene, iss=scene.centre.key.public.kid),
    }
    found = await refuse_all(scene, carrier, tokens)
    assert set(found.values()) == {(401, Code.UNKNOWN_REQUESTER, "request")}


async def test_every_place_takes_its_own_good_token_after_all_that(scene: Scene) -> None:
    renewed = await RENEW.send(scene, RENEW.make(scene))
    scene = replace(scene, ticket=ticket_of(renewed.members["consent_url"]))
    for carrier in CARRIERS:
        reply = await carrier.send(scene, carrier.make(scene))
        assert reply.status == carrier.accepted, (carrier.name, reply.members)
    scene.world.check_log()


@pytest.mark.parametrize("spelling", ["EdDSA", "Ed25519"])
async def test_every_place_takes_ed25519(shared: World, spelling: str) -> None:
    scene = await prepare(shared, alg="EdDSA")
    for carrier in CARRIERS:
        signer = carrier.key(scene)
        token = forge(signer, header_for(signer, carrier.typ, alg=spelling), carrier.claims(scene))
        reply = await carrier.send(scene, token)
        assert reply.status == carrier.accepted, (carrier.name, reply.members)


def _flipped(token: str, position: int) -> str:
    parts = token.split(".")
    raw = bytearray(strict_base64url(parts[position]))
    raw[len(raw) // 2] ^= 1
    parts[position] = to_base64url(bytes(raw))
    return ".".join(parts)
