"""Signing in at the identity provider: the way there and back, and every way in which it can go wrong."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from broker.demo.identity_app import Misbehaviour
from broker.demo.identity_process import IdentityProcess
from broker.login import Assurance
from broker.openid import Asking, OpenidProvider
from connectors.departments.people import LIN, XU
from policies.refusals import Code, Refused
from tests.identity.visitor import Visitor, open_visitor, query_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

FAILED, INCOMPLETE, UNAVAILABLE = (Code.SIGN_IN_FAILED, Code.IDENTITY_INCOMPLETE, Code.PROVIDER_UNAVAILABLE)
REFUSED = {
    Misbehaviour.WRONG_NONCE: FAILED,
    Misbehaviour.BAD_SIGNATURE: FAILED,
    Misbehaviour.UNKNOWN_KEY: FAILED,
    Misbehaviour.ALG_NONE: FAILED,
    Misbehaviour.SHARED_SECRET: FAILED,
    Misbehaviour.WRONG_ISS: FAILED,
    Misbehaviour.WRONG_RESPONSE_ISS: FAILED,
    Misbehaviour.NO_RESPONSE_ISS: FAILED,
    Misbehaviour.WRONG_AUD: FAILED,
    Misbehaviour.EXPIRED: FAILED,
    Misbehaviour.CODE_SPENT: FAILED,
    Misbehaviour.OLD_AUTH_TIME: FAILED,
    Misbehaviour.NO_AUTH_TIME: FAILED,
    Misbehaviour.OTHER_SUB: FAILED,
    Misbehaviour.NOT_JSON: FAILED,
    Misbehaviour.TOKEN_DOWN: UNAVAILABLE,
    Misbehaviour.NO_NAME: INCOMPLETE,
    Misbehaviour.BAD_ID_NUMBER: INCOMPLETE,
}
BORNE = {
    Misbehaviour.NONE: Assurance.HIGH,
    Misbehaviour.NO_ACR: Assurance.LOW,
    Misbehaviour.UNKNOWN_ACR: Assurance.LOW,
    Misbehaviour.USERINFO_ONLY: Assurance.HIGH,
}


@pytest_asyncio.fixture(loop_scope="package")
async def visitor(town: World) -> AsyncIterator[Visitor]:
    async with open_visitor(town.issuer) as opened:
        yield opened


def newest(town: World) -> dict[str, object]:
    entry = town.entries()[-1]
    return {"event": entry["event"], **entry["body"]}


async def test_there_and_back_to_the_page(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    there = await visitor.to_provider("back=/me/devices&lang=en")
    asked = query_of(there)
    assert there.startswith(f"{provider.issuer}/authorize?")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == f"{town.issuer}/sign-in/return"
    back = await visitor.at_provider(there)
    assert query_of(back).keys() == {"code", "state", "iss"}
    landed = await visitor.get(back)
    assert (landed.status, landed.location) == (303, "/me/devices?lang=en"), "the address with the code is left at once"
    assert await visitor.signed_in()
    told = newest(town)
    assert (told["event"], told["method"], told["assurance"]) == ("session.begun", "openid", 3)
    town.check_log()


async def test_it_is_the_same_person_by_whichever_way(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    await visitor.sign_in()
    first = newest(town)["subject_ref"]
    phone = await town.phone(XU)
    assert town.entries()[-2]["body"]["subject_ref"] == first
    assert (await phone.get("/v1/me/consents")).status == 200


@pytest.mark.parametrize(("misbehaviour", "code"), REFUSED.items())
async def test_a_wrong_answer_is_refused_in_a_sentence(
    town: World, provider: IdentityProcess, visitor: Visitor, misbehaviour: Misbehaviour, code: Code
) -> None:
    before = len(town.entries())
    provider.misbehave(misbehaviour)
    seen = await visitor.sign_in("back=/me/devices")
    assert (seen.code, seen.status >= 400) == (code, True)
    assert 'id="provider"' in seen.text, "the way to try again"
    assert 'href="/sign-in/openid?back=/me/devices' in seen.text, "and back to where she was"
    assert XU.id_number not in seen.text
    assert not await visitor.signed_in()
    assert len(town.entries()) == before, "nothing half done"


@pytest.mark.parametrize(("misbehaviour", "level"), BORNE.items())
async def test_what_the_level_is(
    town: World, provider: IdentityProcess, visitor: Visitor, misbehaviour: Misbehaviour, level: Assurance
) -> None:
    provider.misbehave(misbehaviour)
    assert (await visitor.sign_in()).status == 303
    assert newest(town)["assurance"] == level


async def test_a_cancelled_sign_in(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    seen = await visitor.sign_in(deny="yes")
    assert (seen.status, seen.code) == (403, Code.SIGN_IN_DENIED)
    assert "什么也没有改" in seen.text
    provider.misbehave(Misbehaviour.WRONG_RESPONSE_ISS)
    assert (await visitor.sign_in(deny="yes")).code == FAILED, "another's error is not believed either"


async def test_a_return_is_taken_once(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    back = await visitor.at_provider(await visitor.to_provider())
    assert (await visitor.get(back)).status == 303
    again = await visitor.get(back)
    assert (again.status, again.code) == (409, Code.SIGN_IN_EXPIRED)


async def test_a_return_belongs_to_the_browser_that_began(
    town: World, provider: IdentityProcess, visitor: Visitor
) -> None:
    """Login CSRF: the attacker has a victim's browser finish the attacker's own sign-in."""
    back = await visitor.at_provider(await visitor.to_provider(), LIN)
    async with open_visitor(town.issuer) as victim:
        assert (await victim.get(back)).code == Code.SIGN_IN_EXPIRED
        await victim.to_provider()  # now it has a browser cookie of its own
        assert (await victim.get(back)).code == Code.SIGN_IN_EXPIRED
        assert not await victim.signed_in()


async def test_a_code_of_another_sign_in_is_refused(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    """Code injection: the verifier and the nonce are those of the sign-in that the state names."""
    stolen = query_of(await visitor.at_provider(await visitor.to_provider(), LIN))
    own = query_of(await visitor.to_provider())
    mixed = await visitor.get(f"/sign-in/return?code={stolen['code']}&state={own['state']}&iss={stolen['iss']}")
    assert mixed.code == FAILED
    assert not await visitor.signed_in()


@pytest.mark.parametrize("query", ["", "?state=x", "?state=&code=", "?state=a&state=b&code=c", "?error=access_denied"])
async def test_a_return_out_of_nothing(town: World, visitor: Visitor, query: str) -> None:
    seen = await visitor.get(f"/sign-in/return{query}")
    assert (seen.status, seen.code) == (409, Code.SIGN_IN_EXPIRED)


async def test_a_parameter_that_stands_twice(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    back = await visitor.at_provider(await visitor.to_provider())
    assert (await visitor.get(f"{back}&code=other")).code == FAILED


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/me/../v1", "/a/x%0d%0aX:y"])
async def test_nobody_is_led_elsewhere(town: World, provider: IdentityProcess, visitor: Visitor, back: str) -> None:
    assert (await visitor.sign_in(f"back={back}")).location == "/me"


async def test_a_step_up_raises_this_session_alone(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    await visitor.sign_in(level="substantial")
    cookie = {one.key: one.value for one in visitor.http.cookie_jar}["broker_session"]
    there = await visitor.to_provider("back=/me&step=high")
    asked = query_of(there)
    assert (asked["acr_values"], asked["prompt"], asked["max_age"]) == ("urn:test:high", "login", "0")
    assert (await visitor.get(await visitor.at_provider(there, level="substantial"))).code == Code.STEP_UP_REQUIRED
    assert (await visitor.sign_in("back=/me&step=high", LIN)).code == Code.NOT_THE_SUBJECT
    assert await visitor.signed_in(), "what did not come about changed nothing"
    assert (await visitor.sign_in("back=/me&step=high")).status == 303
    told = newest(town)
    assert (told["event"], told["method"], told["assurance"]) == ("session.raised", "openid", 3)
    async with open_visitor(town.issuer) as thief:
        thief.http.cookie_jar.update_cookies({"broker_session": cookie})
        assert not await thief.signed_in(), "the former session ended"


async def test_a_step_up_of_a_session_that_is_gone(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    assert (await visitor.get("/sign-in/openid?back=/me&step=high")).code == Code.NOT_SIGNED_IN
    await visitor.sign_in(level="substantial")
    back = await visitor.at_provider(await visitor.to_provider("back=/me&step=high"))
    await visitor.sign_in(level="low")
    assert (await visitor.get(back)).code == Code.SIGN_IN_EXPIRED


async def test_signing_out_here_and_everywhere(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    async with open_visitor(town.issuer) as other:
        for one in (visitor, other):
            await one.sign_in()
        assert (await visitor.send("/sign-out", {}, origin="https://evil.example")).status == 403
        left = await visitor.send("/sign-out", {})
        assert (left.status, "您已经退出登录" in left.text) == (200, True)
        assert (await visitor.signed_in(), await other.signed_in()) == (False, True)
        assert newest(town) == {
            "event": "session.ended",
            "subject_ref": newest(town)["subject_ref"],
            "everywhere": False,
        }
        assert (await visitor.send("/sign-out", {})).status == 200, "whoever has no session is signed out already"
        await visitor.sign_in()
        assert (await visitor.call("DELETE", "/v1/sessions")).status == 204
        assert (await visitor.signed_in(), await other.signed_in()) == (False, False)
        assert newest(town)["everywhere"] is True
        await visitor.sign_in()
        assert (await visitor.call("DELETE", "/v1/session")).status == 204
        assert not await visitor.signed_in()


@pytest.mark.parametrize("wrong", ["http://127.0.0.1:9", "another issuer's document"])
async def test_a_provider_that_is_down_or_another(provider: IdentityProcess, wrong: str) -> None:
    """Discovery: the document must be that of the very issuer that the settings name."""
    issuer = wrong if wrong.startswith("http") else provider.issuer.replace("127.0.0.1", "localhost")
    client = OpenidProvider(replace(provider.settings, issuer=issuer), "http://localhost/sign-in/return", lambda: 0.0)
    with pytest.raises(Refused) as refused:
        await client.address(Asking(state="s", nonce="n", verifier="v", max_age=0, lang="en"))
    assert refused.value.refusal.code == UNAVAILABLE
    await client.aclose()


async def test_nothing_personal_is_told(town: World, provider: IdentityProcess, visitor: Visitor) -> None:
    there = await visitor.to_provider()
    back = await visitor.at_provider(there)
    await visitor.get(back)
    provider.misbehave(Misbehaviour.BAD_ID_NUMBER)
    await visitor.sign_in()
    written = town.log.getvalue() + str(town.entries())
    state, code = query_of(back)["state"], query_of(back)["code"]
    assert all(secret not in written for secret in (XU.name, XU.id_number, "321099190001010000", state, code))
    assert all(secret not in f"{there}{back}" for secret in (XU.id_number, "%E5%BE%90"))
    assert "subject.id_number" in town.log.getvalue(), "the operator is told which claim was wrong, not what it was"
