"""Passkeys over the wire: registered, used to sign in and to step up, and every forged answer refused."""

from typing import Any

import pytest

from broker import sign_ins
from broker.ceremonies import LIFE
from broker.demo.identity_process import IdentityProcess
from connectors.departments.fleet import Fleet
from consent.erasure import erase
from consent.keys import to_base64url
from consent.passkeys import standing_of
from tests.identity.authenticator import ATTESTED, PRESENT, VERIFIED, Authenticator
from tests.identity.conftest import on_localhost
from tests.identity.keyring import OPTIONS, SIGN_IN, STEP_UP, newest, phone_of, prove, register, somebody, with_passkey
from tests.identity.visitor import open_visitor
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_registered_used_without_typing_and_removed(town: World) -> None:
    phone, authenticator = await with_passkey(town)
    listed = (await phone.get("/v1/me/passkeys")).members["passkeys"]
    assert [one["label"] for one in listed] == ["我的手机"]
    other = phone_of(town, somebody())
    assert (await prove(other, authenticator)).status == 204
    told = newest(town, "session.begun")
    assert (told["method"], told["assurance"], told["passkey"]) == ("passkey", 3, listed[0]["id"])
    assert (await other.get("/v1/me/passkeys")).members["passkeys"] == listed
    assert (await phone.delete(f"/v1/me/passkeys/{listed[0]['id']}")).status == 204
    assert (await phone.get("/v1/me/passkeys")).members["passkeys"] == []
    assert newest(town, "passkey.removed")["passkey"] == listed[0]["id"]
    refused = await prove(phone_of(town, somebody()), authenticator)
    assert (refused.status, refused.code, refused.members["token"]) == (422, "unknown_key", "passkey")
    town.check_log()


async def test_only_who_was_surely_identified_registers(town: World) -> None:
    phone = phone_of(town, somebody())
    assert (await phone.post(OPTIONS)).code == "not_signed_in"
    await phone.sign_in("substantial")
    refused = await phone.post(OPTIONS)
    assert (refused.status, refused.code, refused.members["assurance"]) == (403, "step_up_required", "high")
    await phone.sign_in("high")
    options = (await phone.post(OPTIONS)).members
    await phone.sign_in("substantial")
    credential = Authenticator(town.issuer).make(options)
    assert (await phone.post("/v1/me/passkeys", {"credential": credential})).code == "step_up_required"


async def test_what_a_browser_is_asked(town: World) -> None:
    person = somebody()
    phone, authenticator = await with_passkey(town, person)
    options = (await phone.post(OPTIONS)).members
    assert options["user"]["name"] == f"{person.name[0]}**"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == [to_base64url(authenticator.credential)]
    assert person.id_number not in str(options)


REGISTRATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "inside another site's page": ({"crossOrigin": True}, "wrong_audience"),
    "crossOrigin that is no boolean": ({"crossOrigin": "false"}, "wrong_audience"),
    "below another site": ({"topOrigin": "https://elsewhere.example"}, "wrong_audience"),
    "of another origin": ({"origin": "https://elsewhere.example"}, "wrong_audience"),
    "an assertion's client data": ({"type": "webauthn.get"}, "wrong_token_type"),
    "a challenge of nobody": ({"challenge": "A" * 43}, "replayed"),
    "no challenge": ({"challenge": ...}, "malformed_token"),
    "a challenge that is padded": ({"challenge": "A" * 43 + "="}, "malformed_token"),
}


@pytest.mark.parametrize("name", REGISTRATIONS)
async def test_a_registration_that_is_refused(town: World, name: str) -> None:
    bent, code = REGISTRATIONS[name]
    phone = phone_of(town, somebody())
    await phone.sign_in("high")
    refused = await register(phone, Authenticator(town.issuer), **bent)
    assert (refused.status, refused.code) == (409 if code == "replayed" else 422, code)
    assert (await phone.get("/v1/me/passkeys")).members["passkeys"] == []


async def test_a_registration_without_its_users_lock_or_of_a_known_key(town: World) -> None:
    phone, authenticator = await with_passkey(town)
    assert (await register(phone, Authenticator(town.issuer, flags=PRESENT))).code == "forbidden"
    assert (await register(phone, authenticator)).code == "forbidden"
    thief = phone_of(town, somebody())
    await thief.sign_in("high")
    assert (await register(thief, authenticator)).code == "forbidden", "a credential belongs to one person"


ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "inside another site's page": ({"crossOrigin": True}, "wrong_audience"),
    "below another site": ({"topOrigin": "https://elsewhere.example"}, "wrong_audience"),
    "below our own site": ({"topOrigin": "http://localhost"}, "wrong_audience"),
    "of another origin": ({"origin": "https://elsewhere.example"}, "wrong_audience"),
    "for another relying party": ({"rp_id": "elsewhere.example"}, "wrong_audience"),
    "a registration's client data": ({"type": "webauthn.create"}, "wrong_token_type"),
    "a challenge of nobody": ({"challenge": "A" * 43}, "replayed"),
}


@pytest.mark.parametrize("address", [SIGN_IN, STEP_UP])
@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_is_refused(town: World, name: str, address: str) -> None:
    bent, code = ANSWERS[name]
    phone, authenticator = await with_passkey(town)
    before = town.events()
    refused = await prove(phone, authenticator, address, **bent)
    assert (refused.status, refused.code) == (409 if code == "replayed" else 422, code)
    assert town.events() == before


async def test_an_answer_without_its_users_lock(town: World) -> None:
    phone, authenticator = await with_passkey(town)
    for flags in (PRESENT, VERIFIED, 0, PRESENT | ATTESTED):
        authenticator.flags = flags
        assert (await prove(phone, authenticator)).status >= 400


async def test_an_answer_is_taken_once_and_in_its_place(town: World) -> None:
    phone, authenticator = await with_passkey(town)
    options = (await phone.post(f"{SIGN_IN}/options")).members
    answer = {"credential": authenticator.answer(options)}
    assert (await phone.post(STEP_UP, answer)).code == "replayed", "given out for signing in"
    assert (await phone.post(SIGN_IN, answer)).status == 204
    assert (await phone.post(SIGN_IN, answer)).code == "replayed"


async def test_a_challenge_belongs_to_its_session(town: World) -> None:
    person = somebody()
    phone, authenticator = await with_passkey(town, person)
    elsewhere = phone_of(town, person)
    await elsewhere.sign_in("substantial")
    options = (await phone.post(f"{STEP_UP}/options")).members
    answer = {"credential": authenticator.answer(options)}
    assert (await elsewhere.post(STEP_UP, answer)).code == "replayed"
    assert (await phone.post(STEP_UP, answer)).status == 204


async def test_another_persons_passkey_steps_nobody_up(town: World) -> None:
    phone, _ = await with_passkey(town)
    _, foreign = await with_passkey(town)
    refused = await prove(phone, foreign, STEP_UP)
    assert (refused.status, refused.code) == (422, "unknown_key")
    alone = phone_of(town, somebody())
    await alone.sign_in("low")
    assert (await alone.post(f"{STEP_UP}/options")).code == "step_up_required"


async def test_a_wrong_user_handle_a_wrong_key_and_none(town: World) -> None:
    phone, authenticator = await with_passkey(town)
    right = authenticator.user_handle
    for handle in (b"", bytes(16)):
        authenticator.user_handle = handle
        assert (await prove(phone, authenticator)).code == "unknown_key"
    authenticator.user_handle = right
    forged = Authenticator(town.issuer, credential=authenticator.credential, user_handle=right)
    assert (await prove(phone, forged)).code == "bad_signature"


async def test_a_counter_that_goes_backwards_is_a_copy(town: World) -> None:
    phone, authenticator = phone_of(town, somebody()), Authenticator(town.issuer, sign_count=5)
    await phone.sign_in("high")
    assert (await register(phone, authenticator)).status == 201
    assert (await prove(phone, authenticator)).status == 204
    authenticator.sign_count = 4
    refused = await prove(phone, authenticator)
    assert (refused.status, refused.code, refused.members["token"]) == (409, "replayed", "passkey")
    authenticator.sign_count = 0
    assert (await prove(phone, authenticator)).code == "replayed", "nor does it stop counting"
    authenticator.sign_count = 6
    assert (await prove(phone, authenticator)).status == 204


async def test_a_step_up_raises_the_session_and_ends_the_former(town: World) -> None:
    person = somebody()
    _, authenticator = await with_passkey(town, person)
    phone = phone_of(town, person)
    await phone.sign_in("low")
    cookie = {one.key: one.value for one in phone.http.cookie_jar}["broker_session"]
    assert (await prove(phone, authenticator, STEP_UP)).status == 204
    assert (await phone.post(OPTIONS)).status == 200, "the session is high now"
    told = newest(town, "session.raised")
    assert (told["method"], told["assurance"]) == ("passkey", 3)
    thief = phone_of(town, person)
    thief.http.cookie_jar.update_cookies({"broker_session": cookie})
    assert (await thief.get("/v1/me/passkeys")).code == "not_signed_in"


@pytest.mark.parametrize("credential", [{}, {"id": "AA"}, {"id": 1, "response": {}}, {"id": "AA", "response": []}])
async def test_what_is_no_credential(town: World, credential: dict[str, Any]) -> None:
    phone, _ = await with_passkey(town)
    for address in (SIGN_IN, STEP_UP, "/v1/me/passkeys"):
        refused = await phone.post(address, {"credential": credential})
        assert (refused.status, refused.code) == (422, "malformed_token"), address


async def test_from_another_page_nothing_is_given_out(town: World) -> None:
    phone, _ = await with_passkey(town)
    for path in (OPTIONS, f"{SIGN_IN}/options", f"{STEP_UP}/options", SIGN_IN, STEP_UP):
        async with phone.http.post(
            f"{town.issuer}{path}", json={}, headers={"Origin": "https://evil.example"}
        ) as reply:
            assert reply.status == 403, path


async def test_what_is_not_answered_in_time(started: IdentityProcess, fleet: Fleet, tmp_path_factory: Any) -> None:
    """Ceremonies and sign-ins end; a world of its own, for its clock is stepped."""
    change = lambda settings: on_localhost(settings, started)  # noqa: E731 - as short as it reads
    async with open_world(tmp_path_factory.mktemp("late"), fleet, change=change) as world:
        phone, authenticator = await with_passkey(world)
        late = (await phone.post(f"{SIGN_IN}/options")).members
        world.clock.advance(LIFE + 1)
        assert (await phone.post(SIGN_IN, {"credential": authenticator.answer(late)})).code == "replayed"
        assert (await phone.post(OPTIONS)).code == "step_up_required", "a session that somebody may have picked up"
        assert (await prove(phone, authenticator, STEP_UP)).status == 204
        assert (await phone.post(OPTIONS)).status == 200
        async with open_visitor(world.issuer) as visitor:
            back = await visitor.at_provider(await visitor.to_provider())
            world.clock.advance(sign_ins.LIFE + 1)
            assert (await visitor.get(back)).code == "sign_in_expired"


async def test_of_an_erased_person_none_is_left(town: World) -> None:
    phone, authenticator = await with_passkey(town)
    subject_ref = newest(town, "passkey.registered")["subject_ref"]
    await town.broker.storage.record(lambda transaction: erase(transaction, subject_ref))
    assert (await prove(phone_of(town, somebody()), authenticator)).code == "unknown_key"
    with town.broker.database.reader.begin() as connection:
        assert standing_of(connection, subject_ref) == []
    assert phone.person.id_number not in str(town.entries())
    town.check_log()


async def test_on_a_bare_address_there_are_none(fleet: Fleet, tmp_path_factory: Any) -> None:
    async with open_world(tmp_path_factory.mktemp("bare"), fleet) as world:
        phone = await world.phone()
        assert (await phone.post(OPTIONS)).code == "not_found"
        assert (await phone.post(f"{SIGN_IN}/options")).code == "not_found"
