"""The public status lists: each consent's place through its whole life, and nothing decided by them."""

import functools
import json
from typing import Any

import jwt
import pytest

from audit.batch import Transaction
from broker.client import RequesterClient, read_reply
from broker.status_lists import KEEP, MADE_FOR
from connectors.departments.people import XU
from consent import status_places
from consent.erasure import erase, find_subject
from consent.grants import granted_to
from consent.keys import read_jwk, strict_base64url
from consent.status_list import INVALID, SUSPENDED, VALID, decode, status_at
from consent.token import verify_consent
from policies.refusals import Code, Refused
from tests.feed.conftest import Town
from tests.feed.feeding import jti_of
from tests.world import ITEMS, World


def claims_of(token: str) -> dict[str, Any]:
    """A token's claims, unverified."""
    claims: dict[str, Any] = json.loads(strict_base64url(token.split(".")[1]))
    return claims


def place_of(consent: str) -> tuple[str, int]:
    """Where the token says its status stands."""
    reference = claims_of(consent)["status"]["status_list"]
    assert reference.keys() == {"idx", "uri"}
    return reference["uri"], reference["idx"]


async def fetched(world: World, uri: str) -> str:
    async with world.http.get(uri) as response:
        assert response.status == 200
        assert response.content_type == "application/statuslist+jwt"
        assert response.headers["Cache-Control"] == f"public, max-age={KEEP}"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        return await response.text()


async def status_of(world: World, consent: str) -> int:
    """As a third party does it: fetch, verify with the published key, look at the place."""
    world.clock.advance(MADE_FOR)  # or it might still be the list from before
    uri, idx = place_of(consent)
    token = await fetched(world, uri)
    async with world.http.get(f"{world.issuer}/.well-known/jwks.json") as response:
        [jwk] = (await response.json())["keys"]
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": jwk["kid"], "typ": "statuslist+jwt"}
    key = read_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    claims = jwt.decode(token, key.verifier, algorithms=["ES256"], options={"verify_exp": False, "verify_iat": False})
    now = world.clock() / 1_000_000
    assert claims.keys() == {"iss", "sub", "iat", "exp", "ttl", "status_list"}
    assert (claims["sub"], claims["iss"], claims["ttl"]) == (uri, world.issuer, KEEP)
    assert claims["iat"] <= now + 1 < claims["exp"]
    assert claims["status_list"]["bits"] == 2
    return status_at(decode(claims["status_list"]["lst"]), idx, bits=2)


async def test_a_place_follows_its_consent_and_no_other(each_town: Town) -> None:
    town = each_town
    world = town.world
    consent, other = await world.grant(town.yangzhou, town.xu), await world.grant(town.beijing, town.lin)
    path = f"/v1/me/consents/{jti_of(consent)}"
    assert await status_of(world, consent) == VALID
    for verb, expected in (("pause", SUSPENDED), ("resume", VALID), ("pause", SUSPENDED), ("withdraw", INVALID)):
        assert (await town.xu.post(f"{path}/{verb}")).status == 200
        assert await status_of(world, consent) == expected
        assert await status_of(world, other) == VALID
    world.check_log()


async def test_an_erasure_makes_every_consent_invalid(town: Town) -> None:
    world = town.world
    hers = [await world.grant(centre, town.xu) for centre in (town.yangzhou, town.beijing)]
    assert (await town.xu.post(f"/v1/me/consents/{jti_of(hers[0])}/pause")).status == 200
    kept = await world.grant(town.yangzhou, town.lin)

    def work(transaction: Transaction) -> None:
        erase(transaction, find_subject(transaction.connection, world.broker.keys.subjects, XU.id_number))

    await world.broker.storage.record(work)
    assert [await status_of(world, consent) for consent in hers] == [INVALID, INVALID]
    assert await status_of(world, kept) == VALID
    world.check_log()


async def test_what_stands_is_never_decided_by_a_list(town: Town) -> None:
    world = town.world
    consent = await world.grant(town.yangzhou, town.xu)
    uri, _ = place_of(consent)
    before = await fetched(world, uri)
    assert (await town.xu.withdraw(jti_of(consent))).status == 200
    assert await fetched(world, uri) == before, "the list is as old as it may be: the test would prove nothing"
    assert (await world.pull(town.yangzhou, consent)).code == "consent_withdrawn"
    world.check_log()


async def test_a_request_keeps_its_place_however_often_it_is_composed(town: Town) -> None:
    world = town.world
    _, ticket = await world.ask(town.yangzhou)
    await town.xu.open(ticket)
    inputs = [(await town.xu.compose(ticket, ITEMS)).members["signing_input"] for _ in range(3)]
    assert len({place_of(one) for one in inputs}) == 1
    assert len({claims_of(one)["jti"] for one in inputs}) == 3
    signed = town.xu.key.complete(inputs[-1])
    assert (await town.xu.post(f"/v1/me/requests/{ticket}/consent", {"consent": signed})).status == 201
    assert await status_of(world, signed) == VALID
    world.check_log()


async def test_another_place_than_was_composed_is_not_signed_for(town: Town) -> None:
    world = town.world
    _, ticket = await world.ask(town.yangzhou)
    await town.xu.open(ticket)
    composed = claims_of((await town.xu.compose(ticket, ITEMS)).members["signing_input"])
    uri, idx = composed["status"]["status_list"]["uri"], composed["status"]["status_list"]["idx"]
    for status in ({"status_list": {"idx": idx ^ 1, "uri": uri}}, None, "gone"):
        forged = composed | {"status": status}
        if status == "gone":
            del forged["status"]
        signed = town.xu.key.token("consent+jwt", forged)
        reply = await town.xu.post(f"/v1/me/requests/{ticket}/consent", {"consent": signed})
        assert reply.code in {"consent_mismatch", "malformed_token"}
        assert reply.status == 422
    world.check_log()


async def test_places_are_drawn_at_random_and_a_full_list_is_followed_by_another(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_places, "SIZE", 3)
    world = town.world
    consents = [await world.grant(town.yangzhou, town.xu) for _ in range(5)]
    places = [place_of(consent) for consent in consents]
    assert len(set(places)) == len(places)
    assert all(idx < 3 for _, idx in places)
    assert {uri for uri, _ in places} >= {f"{world.issuer}/v1/status-lists/{number}" for number in (1, 2)}
    assert (await town.xu.withdraw(jti_of(consents[-1]))).status == 200
    assert [await status_of(world, consent) for consent in consents] == [VALID] * 4 + [INVALID]
    world.check_log()


async def test_places_tell_no_order(town: Town) -> None:
    places = [place_of(await town.world.grant(town.yangzhou, town.xu))[1] for _ in range(6)]
    assert places != sorted(places) or max(places) - min(places) > 100
    assert all(0 <= place < status_places.SIZE for place in places)


async def test_a_list_that_is_not_there(town: Town) -> None:
    for number in ("1", "0", "01", "-1", "x", "99999999999", "1.0", "%31%00"):
        async with town.world.http.get(f"{town.world.issuer}/v1/status-lists/{number}") as response:
            reply = await read_reply(response)
        assert (reply.status, reply.code) == (404, "not_found"), number
    await town.world.grant(town.yangzhou, town.xu)
    async with town.world.http.get(f"{town.world.issuer}/v1/status-lists/2") as response:
        assert response.status == 404


async def test_a_status_list_is_accepted_as_nothing_else(town: Town) -> None:
    world = town.world
    token = await fetched(world, place_of(await world.grant(town.yangzhou, town.xu))[0])
    async with world.http.get(f"{world.issuer}/v1/events", headers={"Authorization": f"Bearer {token}"}) as response:
        assert (await read_reply(response)).code == "wrong_token_type"
    assert (await world.pull(town.yangzhou, token)).code == "wrong_token_type"
    assert (await RequesterClient.send(town.yangzhou, "/v1/exchanges", token)).code == "wrong_token_type"


async def test_a_consent_without_a_place_still_reads(town: Town) -> None:
    """Those that were signed before there were lists."""
    world = town.world
    composed = claims_of(await world.grant(town.yangzhou, town.xu))
    del composed["status"]
    signed = town.xu.key.token("consent+jwt", composed)
    with world.broker.database.reader.begin() as connection:
        key_of = functools.partial(world.broker.path.devices.find, connection)
        consent = verify_consent(signed, key_of=key_of, audience=world.issuer, now=world.broker.now())
        with pytest.raises(Refused) as refused:
            granted_to(connection, consent)
    assert refused.value.refusal.code == Code.CONSENT_MISMATCH, "it was read whole, and is not what was granted"
