"""What stops a citizen, and what a browser can do wrong: each ends in a plain sentence, and nothing is half done."""

import pytest
from playwright.async_api import Route

from connectors.departments.people import XU
from policies.identifiers import check_digit
from policies.vocabulary import Person
from tests.browser.citizens import ask, opened, recorded, sign_in, status, tick, to_sign
from tests.browser.conftest import Visit
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

_NUMBER = "32109919880304001"
STRANGER = Person("旁人", _NUMBER + check_digit(_NUMBER))


async def test_another_person_sees_and_opens_nothing(visit: Visit, town: World) -> None:
    asked = await ask(town)
    page = await visit.open(asked.path)
    assert asked.case not in await page.content()
    await sign_in(page, STRANGER)
    assert "这不是给您的" in await page.inner_text("#sentence")
    assert asked.case not in await page.content()
    assert await status(asked) == "pending"
    await sign_in(page)  # the right person, in the same place
    assert asked.case in await page.inner_text("#ask")


async def test_an_expired_request_a_wrong_link_and_a_wrong_number(visit: Visit, town: World) -> None:
    asked = await ask(town, mode="counter")
    town.clock.advance(301)
    page = await visit.open(asked.path)
    await page.fill("#name", XU.name)
    await page.fill("#id_number", "321099190001010000")
    await page.click("form[action^='/sign-in'] button")
    assert "身份证号不对" in await page.inner_text("[role=alert]")
    await sign_in(page)
    assert page.url == visit.issuer + asked.path, "back to where she was"
    assert "过期" in await page.inner_text("#sentence")
    await page.goto(f"{visit.issuer}/a/nothing")
    assert "没有找到" in await page.inner_text("#sentence")


async def test_two_presses_and_the_back_button_sign_once(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    await to_sign(page)
    await page.go_back()
    await page.wait_for_selector("#ask", state="visible")
    assert await page.locator(".tick input:checked").count() == await page.locator(".tick input").count()
    await page.click("#agree")
    await page.wait_for_selector("#sign", state="visible")
    await page.evaluate("for (let press = 0; press < 3; press++) document.getElementById('confirm').click()")
    await page.wait_for_selector("#done", state="visible")
    await page.go_back()
    await page.wait_for_selector("text=您已经同意了")
    assert len(recorded(town, asked, "consent.granted")) == 1


async def test_a_lost_network_leaves_nothing_half_done(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    await to_sign(page)
    await page.route("**/consent", lambda route: route.abort())
    await page.click("#confirm")
    await page.wait_for_selector("#sign-refusal", state="visible")
    assert "网络" in await page.inner_text("#sign-refusal")
    assert await status(asked) == "opened"
    await page.unroute("**/consent")
    await page.click("#confirm")
    await page.wait_for_selector("#done", state="visible")
    assert await status(asked) == "granted"


async def test_an_answer_that_was_lost_is_found_again(visit: Visit, town: World) -> None:
    _, page = await opened(visit, town)
    await to_sign(page)

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/consent", lose)
    await page.click("#confirm")
    await page.wait_for_selector("#sign-refusal", state="visible")
    await page.unroute("**/consent")
    await page.click("#confirm")
    await page.wait_for_selector("text=您已经同意了")


async def test_words_shown_elsewhere_meanwhile_are_not_signed_here(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    other = await page.context.new_page()
    await other.goto(f"{visit.issuer}{asked.path}?lang=en")  # now the English text is the one to be signed
    await page.bring_to_front()
    await tick(page)
    await page.click("#agree")
    await page.wait_for_selector("#ask-refusal", state="visible")
    assert "重新打开" in await page.inner_text("#ask-refusal")
    assert not await page.is_visible("#sign")


async def test_the_end_of_the_session_leads_back(visit: Visit, town: World) -> None:
    asked, page = await opened(visit, town)
    await tick(page)
    await page.context.clear_cookies()
    await page.click("#agree")
    await page.wait_for_selector("#name")
    await sign_in(page)
    assert page.url == visit.issuer + asked.path
    assert await page.is_visible("#ask")
