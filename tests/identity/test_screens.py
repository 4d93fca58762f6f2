"""Signing in, passkeys and devices in Chromium, with the real test provider and a virtual authenticator."""

import pytest
from playwright.async_api import Page

from broker.demo.identity_app import Misbehaviour
from broker.demo.identity_process import IdentityProcess
from connectors.departments.people import XU
from policies.vocabulary import Person
from tests.browser.citizens import Asked, agree, ask, mine, pull, recorded, tick, to_sign
from tests.browser.conftest import Visit
from tests.identity.keyring import newest, phone_of, somebody
from tests.identity.screens import add_passkey, at_provider, sign_out, with_lock
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def signed_in(visit: Visit, person: Person, level: str, path: str = "/me") -> Page:
    """By the identity provider, in the place of the page itself."""
    page = await visit.open(path)
    await at_provider(page, person, level)
    assert page.url == visit.issuer + path
    return page


async def asking(town: World, visit: Visit, person: Person, level: str) -> tuple[Asked, Page]:
    """A request on the screen of a person who signed in at this level."""
    asked = await ask(town, person)
    return asked, await signed_in(visit, person, level, asked.path)


async def test_one_tap_at_the_provider_and_back(visit: Visit, town: World) -> None:
    page = await visit.open("/me/devices")
    assert "请先登录" in await page.inner_text("h1")
    await page.click("#provider")
    assert "Nobody is checked here" in await page.inner_text(".test")
    await page.click(f"button[name=pick]:has-text('{XU.name}')")
    await page.wait_for_selector("h1:has-text('我的设备')")
    assert page.url == f"{visit.issuer}/me/devices"
    assert not any(XU.id_number in request.url for request in visit.requests)
    await page.click("text=English")
    assert await page.inner_text(".leaving button") == "Sign out"


async def test_a_passkey_is_made_and_signs_in_without_typing(visit: Visit, town: World) -> None:
    page = await signed_in(visit, somebody(), "high")
    lock = await with_lock(page)
    await add_passkey(page, visit.issuer)
    [kept] = await lock.passkeys()
    assert kept["isResidentCredential"] is True
    await sign_out(page)
    await page.goto(f"{visit.issuer}/me/devices")
    await lock.verifies(user=False)
    await page.click("#passkey")
    await page.wait_for_selector("#passkey-refusal", state="visible")
    assert "换一种方式" in await page.inner_text("#passkey-refusal"), "a wrong finger is said"
    assert await page.is_visible("#provider"), "and another way is there"
    await lock.verifies(user=True)
    await page.click("#passkey")
    await page.wait_for_selector(".passkey")
    told = newest(town, "session.begun")
    assert (told["method"], told["assurance"]) == ("passkey", 3)
    await page.click(".passkey summary")
    await page.click(".passkey form button")
    await page.wait_for_selector(".passkey", state="detached")
    await sign_out(page)
    await page.click("#passkey")
    await page.wait_for_selector("#passkey-refusal", state="visible")
    assert "停用" in await page.inner_text("#passkey-refusal")


async def test_a_passkey_needs_a_sure_sign_in_and_then_is_one_itself(visit: Visit, town: World) -> None:
    person = somebody()
    page = await signed_in(visit, person, "substantial", "/me/devices")
    await with_lock(page)
    await page.click("#add-passkey")
    await page.wait_for_selector("h1:has-text('请再核实一次身份')")
    assert not await page.is_visible("#passkey"), "she has none yet"
    await at_provider(page, person)  # what is wanted is chosen already
    await page.wait_for_selector("#add-passkey")
    await page.click("#add-passkey")
    await page.wait_for_selector(".passkey")
    assert newest(town, "session.raised")["method"] == "openid"
    await sign_out(page)
    await signed_in(visit, person, "low", "/me/devices")
    await page.click("#add-passkey")
    await page.wait_for_selector("#passkey[data-way=step-up]")
    await page.click("#passkey")
    await page.wait_for_selector("#add-passkey")
    told = newest(town, "session.raised")
    assert (told["method"], told["assurance"]) == ("passkey", 3)


async def test_a_second_browser_is_approved_by_the_passkey_that_vouches_for_it(visit: Visit, town: World) -> None:
    person = somebody()
    asked, page = await asking(town, visit, person, "high")
    lock = await with_lock(page)
    await agree(page)
    await add_passkey(page, visit.issuer)
    [passkey] = await lock.passkeys()

    other = await (await visit.browser.new_context()).new_page()
    await (await with_lock(other)).take(passkey)
    again = await ask(town, person)
    await other.goto(visit.issuer + again.path)
    await at_provider(other, person, "substantial")
    await to_sign(other)
    assert await other.is_visible("#evidence"), "something sensitive, in a session that is not so sure"
    await other.click("#confirm")
    await other.wait_for_selector("#done", state="visible")
    assert newest(town, "device.enrolled")["approved_by"] == "passkey"
    first, second = recorded(town, asked, "consent.granted")[0], recorded(town, again, "consent.granted")[0]
    assert first["consent"]["iss"] != second["consent"]["iss"]
    assert (first["assurance"], first["evidence_sha256"]) == (3, "")
    assert (second["assurance"], len(second["evidence_sha256"])) == (3, 64)
    await other.goto(f"{visit.issuer}/me/devices")
    assert await other.locator("article.device").count() == 2
    await other.context.close()
    town.check_log()


async def test_a_second_browser_without_it_must_sign_in_surely(visit: Visit, town: World) -> None:
    person = somebody()
    _, page = await asking(town, visit, person, "high")
    await agree(page)
    other = await (await visit.browser.new_context()).new_page()
    again = await ask(town, person)
    await other.goto(visit.issuer + again.path)
    await at_provider(other, person, "substantial")
    await other.wait_for_selector("#agree:enabled")
    await tick(other)
    await other.click("#agree")
    await other.wait_for_selector("h1:has-text('请再核实一次身份')")
    await at_provider(other, person)
    assert other.url == visit.issuer + again.path, "back to what she was doing"
    await agree(other)
    assert newest(town, "device.enrolled")["approved_by"] == "sign_in"
    await other.context.close()


async def test_a_lost_device_pauses_and_says_so(visit: Visit, town: World) -> None:
    asked, page = await asking(town, visit, XU, "high")
    await agree(page)
    consent = (await asked.centre.read(asked.request)).members["consent"]
    kid = recorded(town, asked, "consent.granted")[0]["consent"]["iss"]
    await page.goto(f"{visit.issuer}/me/devices")
    device = f"article.device:has-text('{kid[:6]}')"
    await page.click(f"{device} .lost summary")
    assert "全部暂停" in await page.inner_text(f"{device} .lost")
    await page.click(f"{device} .lost button")
    await page.wait_for_selector(f"{mine(asked)} .state.paused")
    assert "报了丢失" in await page.inner_text(f"{mine(asked)} .lost")
    assert await pull(town, asked, consent) == "consent_paused"
    await page.click(f"{mine(asked)} form[data-action=resume] button")
    await page.wait_for_selector(f"{mine(asked)} .state.active")
    assert await page.locator(f"{mine(asked)} .lost").count() == 0
    assert await pull(town, asked, consent) == "released"


async def test_without_scripts_she_signs_in_gives_up_a_device_and_signs_out(visit: Visit, town: World) -> None:
    person = somebody()
    phone = phone_of(town, person)
    await phone.sign_in("high")
    assert (await phone.enrol("旧手机")).status == 201
    context = await visit.browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{visit.issuer}/me/devices")
    assert not await page.is_visible("#passkey")
    await at_provider(page, person, "low")
    await page.click("article.device .lost summary")
    await page.click("article.device .lost button")
    await page.wait_for_selector("text=还没有设备")
    assert newest(town, "device.lost")["kid"] == phone.key.public.kid
    await page.click("text=在所有设备上退出登录")
    await page.wait_for_selector("text=您已经退出登录")
    assert (await phone.get("/v1/me/devices")).code == "not_signed_in"
    await context.close()


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_a_refused_sign_in_is_a_sentence_on_her_page(visit: Visit, provider: IdentityProcess, query: str) -> None:
    page = await visit.open(f"/me/devices{query}")
    provider.misbehave(Misbehaviour.BAD_SIGNATURE)
    await at_provider(page, somebody())
    wanted = "could not be verified" if query else "没有通过核对"
    assert wanted in await page.inner_text("#sentence")
    assert await page.get_attribute("html", "lang") == ("en" if query else "zh-CN")
    provider.misbehave(Misbehaviour.NONE)
    await at_provider(page, somebody())
    assert page.url == f"{visit.issuer}/me/devices{query}"
