"""Signing what is sensitive: sure enough by the session, or by a passkey's word over the very text."""

import base64
import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import select

from broker.client import Reply
from broker.demo.phone import Phone
from consent import tables
from consent.keys import strict_base64url, to_base64url
from policies.vocabulary import Person
from tests.identity.authenticator import Authenticator
from tests.identity.keyring import newest, phone_of, somebody, ticket_for, with_passkey
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

NEEDED = ["real_estate_registration", "hpf_remote_account"]


async def weak(town: World, *, passkey: bool = True) -> tuple[Person, Phone, Authenticator]:
    """A person with a device, signed in substantially only."""
    person = somebody()
    if passkey:
        first, authenticator = await with_passkey(town, person)
    else:
        first, authenticator = phone_of(town, person), Authenticator(town.issuer)
        await first.sign_in("high")
    assert (await first.enrol()).status == 201
    phone = phone_of(town, person)
    phone.key = first.key
    assert (await phone.sign_in("substantial")).status == 204
    return person, phone, authenticator


async def composed(town: World, phone: Phone, items: list[Any] | None = None) -> tuple[str, Reply]:
    ticket = await ticket_for(town, phone.person)
    assert (await phone.open(ticket)).status == 200
    return ticket, await phone.compose(ticket, items if items is not None else NEEDED)


async def sign(phone: Phone, ticket: str, reply: Reply, assertion: dict[str, Any] | None) -> Reply:
    consent = phone.key.complete(reply.members["signing_input"])
    members = {"consent": consent} | ({"assertion": assertion} if assertion is not None else {})
    return await phone.post(f"/v1/me/requests/{ticket}/consent", members)


async def test_a_passkeys_word_over_the_text_is_kept_and_logged(town: World) -> None:
    _, phone, authenticator = await weak(town)
    ticket, reply = await composed(town, phone)
    text = reply.members["signing_input"]
    assert reply.members["evidence"]["challenge"] == to_base64url(hashlib.sha256(text.encode()).digest())
    granted = await sign(phone, ticket, reply, authenticator.answer(reply.members["evidence"]))
    assert granted.status == 201, granted.members
    told = newest(town, "consent.granted")
    assert told["assurance"] == 3
    with town.broker.database.reader.begin() as connection:
        row = connection.execute(select(tables.evidence).where(tables.evidence.c.jti == told["consent"]["jti"])).one()
        grant = connection.execute(select(tables.grant).where(tables.grant.c.jti == told["consent"]["jti"])).one()
    assert told["evidence_sha256"] == hashlib.sha256(row.assertion).hexdigest()
    client_data = json.loads(strict_base64url(json.loads(row.assertion)["clientDataJSON"]))
    signed = grant.token.decode().rpartition(".")[0]
    assert client_data["challenge"] == to_base64url(hashlib.sha256(signed.encode()).digest())
    assert grant.assurance == 3
    town.check_log()
    entry = json.loads(base64.b64decode(granted.members["receipt"]["entry"]))
    assert entry["body"]["evidence_sha256"] == told["evidence_sha256"]


async def test_without_it_nothing_sensitive_is_signed(town: World) -> None:
    _, phone, _ = await weak(town)
    ticket, reply = await composed(town, phone)
    refused = await sign(phone, ticket, reply, None)
    assert (refused.status, refused.code, refused.members["assurance"]) == (403, "step_up_required", "high")


async def test_who_has_no_passkey_is_told_when_composing(town: World) -> None:
    _, phone, _ = await weak(town, passkey=False)
    _, refused = await composed(town, phone)
    assert (refused.status, refused.code, refused.members["assurance"]) == (403, "step_up_required", "high")


async def test_what_is_not_sensitive_needs_none(town: World) -> None:
    _, phone, _ = await weak(town, passkey=False)
    ticket = await ticket_for(town, phone.person)
    offer = (await phone.open(ticket)).members
    plain = [
        {"item": line["item"], "fields": [one["field"] for one in line["fields"] if not one["sensitive"]]}
        for line in offer["items"]
        if line["required"]
    ]
    reply = await phone.compose(ticket, plain)
    assert (reply.status, "evidence" in reply.members) == (200, False)
    assert (await sign(phone, ticket, reply, None)).status == 201
    told = newest(town, "consent.granted")
    assert (told["assurance"], told["evidence_sha256"]) == (2, "")


async def test_a_sure_session_needs_none(town: World) -> None:
    _, phone, _ = await weak(town)
    await phone.sign_in("high")
    ticket, reply = await composed(town, phone)
    assert "evidence" not in reply.members
    assert (await sign(phone, ticket, reply, None)).status == 201


async def test_an_assertion_over_another_text_is_none(town: World) -> None:
    _, phone, authenticator = await weak(town)
    _, other = await composed(town, phone)
    ticket, reply = await composed(town, phone)
    elsewhere = authenticator.answer(other.members["evidence"])
    refused = await sign(phone, ticket, reply, elsewhere)
    assert (refused.status, refused.code, refused.members["token"]) == (409, "replayed", "passkey")
    earlier = authenticator.answer(reply.members["evidence"])
    again = await phone.compose(ticket, NEEDED)
    assert (await sign(phone, ticket, again, earlier)).code == "replayed", "of a composition that is void"
    for bent in ({"crossOrigin": True}, {"topOrigin": "https://elsewhere.example"}):
        assertion = authenticator.answer(again.members["evidence"], **bent)
        assert (await sign(phone, ticket, again, assertion)).code == "wrong_audience"
    authenticator.flags = 1
    assertion = authenticator.answer(again.members["evidence"])
    assert (await sign(phone, ticket, again, assertion)).code == "forbidden"
    authenticator.flags = 5
    assert (await sign(phone, ticket, again, authenticator.answer(again.members["evidence"]))).status == 201


async def test_another_persons_or_a_removed_passkey_is_no_evidence(town: World) -> None:
    _, phone, authenticator = await weak(town)
    _, _, foreign = await weak(town)
    ticket, reply = await composed(town, phone)
    assert (await sign(phone, ticket, reply, foreign.answer(reply.members["evidence"]))).code == "unknown_key"
    assertion = authenticator.answer(reply.members["evidence"])
    [passkey] = (await phone.get("/v1/me/passkeys")).members["passkeys"]
    assert (await phone.delete(f"/v1/me/passkeys/{passkey['id']}")).status == 204
    assert (await sign(phone, ticket, reply, assertion)).code == "unknown_key"


async def test_a_passkey_alone_signs_no_consent(town: World) -> None:
    _, phone, authenticator = await weak(town)
    ticket, reply = await composed(town, phone)
    stranger = phone_of(town, phone.person)
    consent = stranger.key.complete(reply.members["signing_input"])
    members = {"consent": consent, "assertion": authenticator.answer(reply.members["evidence"])}
    refused = await phone.post(f"/v1/me/requests/{ticket}/consent", members)
    assert (refused.status, refused.code, refused.members["token"]) == (422, "bad_signature", "consent")
