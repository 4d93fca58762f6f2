"""Devices: the first one freely, a further one only approved; a lost one pauses what it signed."""

from typing import Any

import pytest

from broker.client import Reply
from broker.demo.phone import Phone
from connectors.departments.people import XU
from policies.vocabulary import Person
from tests.identity.authenticator import Authenticator
from tests.identity.keyring import newest, phone_of, somebody, ticket_for, with_passkey
from tests.world import World, letters

pytestmark = pytest.mark.asyncio(loop_scope="package")

APPROVAL = "/v1/me/devices/approval"


async def enrol(phone: Phone, approval: dict[str, Any] | None = None) -> Reply:
    nonce = (await phone.get("/v1/me/devices/nonce")).members["nonce"]
    kid = phone.key.public.kid
    proof = phone.key.short_lived("device-proof+jwt", iss=kid, aud=phone.issuer, members={"nonce": nonce})
    return await phone.post("/v1/me/devices", {"jwk": dict(phone.key.public.jwk), "proof": proof, "approval": approval})


async def approval_of(phone: Phone, authenticator: Authenticator, kid: str) -> dict[str, Any]:
    options = await phone.post(APPROVAL, {"kid": kid})
    assert options.status == 200, options.members
    return authenticator.answer(options.members)


async def with_device(town: World) -> tuple[Person, Phone, Authenticator]:
    """A person with a passkey and her first device."""
    person = somebody()
    phone, authenticator = await with_passkey(town, person)
    assert (await enrol(phone)).status == 201
    return person, phone, authenticator


async def second(town: World, person: Person, level: str = "substantial") -> Phone:
    phone = phone_of(town, person)
    assert (await phone.sign_in(level)).status == 204
    return phone


async def test_the_first_device_needs_no_approval(town: World) -> None:
    phone = await second(town, somebody())
    assert (await enrol(phone)).status == 201
    assert newest(town, "device.enrolled")["approved_by"] == "first"


async def test_a_further_device_needs_a_sure_sign_in_or_a_passkey(town: World) -> None:
    person, _, authenticator = await with_device(town)
    new = await second(town, person)
    refused = await enrol(new)
    assert (refused.status, refused.code, refused.members["assurance"]) == (403, "step_up_required", "high")
    assert (await enrol(new, await approval_of(new, authenticator, new.key.public.kid))).status == 201
    told = newest(town, "device.enrolled")
    assert (told["approved_by"], told["kid"]) == ("passkey", new.key.public.kid)
    assert told["passkey"] == (await new.get("/v1/me/passkeys")).members["passkeys"][0]["id"]
    sure = await second(town, person, "high")
    assert (await enrol(sure)).status == 201
    assert newest(town, "device.enrolled")["approved_by"] == "sign_in"
    town.check_log()


async def test_once_had_is_had(town: World) -> None:
    """A thief who removes the only device does not become the first one."""
    person, phone, _ = await with_device(town)
    assert (await phone.delete(f"/v1/me/devices/{phone.key.public.kid}")).status == 204
    assert (await enrol(await second(town, person))).code == "step_up_required"


async def test_an_approval_is_for_one_key_one_session_and_once(town: World) -> None:
    person, _, authenticator = await with_device(town)
    new, other = await second(town, person), await second(town, person)
    approval = await approval_of(new, authenticator, new.key.public.kid)
    assert (await enrol(other, approval)).code == "replayed", "an approval of another key"
    other.key = new.key
    assert (await enrol(other, approval)).code == "replayed", "given out to another session"
    assert (await enrol(new, approval)).status == 201
    assert (await new.delete(f"/v1/me/devices/{new.key.public.kid}")).status == 204
    assert (await enrol(new, approval)).status >= 400
    _, stranger, foreign = await with_device(town)
    third = await second(town, person)
    options = (await third.post(APPROVAL, {"kid": third.key.public.kid})).members
    assert (await enrol(third, foreign.answer(options))).code == "unknown_key"
    assert (await stranger.get("/v1/me/devices")).status == 200


async def test_who_has_no_passkey_is_told_to_sign_in_more_surely(town: World) -> None:
    person = somebody()
    assert (await enrol(await second(town, person))).status == 201
    new = await second(town, person)
    refused = await new.post(APPROVAL, {"kid": new.key.public.kid})
    assert (refused.code, refused.members["assurance"]) == ("step_up_required", "high")


async def test_a_lost_device_pauses_what_it_signed_and_nothing_else(town: World) -> None:
    centre, lost, kept = await town.centre(f"hpf-{letters()[:12]}"), await town.phone(XU), await town.phone(XU)
    by_lost = await town.grant(centre, lost, case="YZ-LOST-1")
    by_kept = await town.grant(centre, kept, case="YZ-KEPT-1")
    withdrawn = await town.grant(centre, lost, case="YZ-LOST-2")
    jti_of = {one["case"]: one["jti"] for one in (await kept.get("/v1/me/consents")).members["consents"]}
    assert (await kept.withdraw(jti_of["YZ-LOST-2"], with_device=False)).status == 200
    kid = lost.key.public.kid
    reply = await kept.post(f"/v1/me/devices/{kid}/lost")
    assert (reply.status, reply.members["paused"]) == (200, [jti_of["YZ-LOST-1"]])
    town.receipts.append(reply.members["receipt"])
    told = newest(town, "device.lost")
    assert (told["kid"], told["paused"]) == (kid, 1)
    assert (await town.pull(centre, by_lost, case="YZ-LOST-1")).code == "consent_paused"
    assert (await town.pull(centre, by_kept, case="YZ-KEPT-1")).status == 200
    assert (await town.pull(centre, withdrawn, case="YZ-LOST-2")).code == "consent_withdrawn"
    _, ticket = await town.ask(centre, XU, case="YZ-LOST-3")
    await lost.open(ticket)
    assert (await lost.agree(ticket, ["deed_tax"])).code == "unknown_key", "it signs nothing new"
    assert (await kept.post(f"/v1/me/consents/{jti_of['YZ-LOST-1']}/resume")).status == 200
    assert (await town.pull(centre, by_lost, case="YZ-LOST-1")).status == 200
    assert (await kept.post(f"/v1/me/devices/{kid}/lost")).code == "not_found"
    stranger = await second(town, somebody())
    assert (await stranger.post(f"/v1/me/devices/{kept.key.public.kid}/lost")).code == "not_found"
    town.check_log()


async def test_signing_needs_her_own_level(town: World) -> None:
    person, phone, _ = await with_device(town)
    ticket = await ticket_for(town, person)
    await phone.open(ticket)
    await phone.sign_in("low")
    refused = await phone.compose(ticket, ["real_estate_registration"])
    assert (refused.code, refused.members["assurance"]) == ("step_up_required", "substantial")
