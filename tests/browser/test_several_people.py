"""Pages where somebody acts for somebody, or said no: what waits, for whom I sign, who confirms, who may refuse."""

from typing import Any

import pytest
from playwright.async_api import Page

from connectors.departments.people import LIN, OLD_FORM, XU
from policies.vocabulary import Person
from tests.browser.chromium import accessibility_rules
from tests.browser.citizens import Asked, agree, ask, mine, recorded, status
from tests.browser.conftest import Visit
from tests.browser.test_citizen_looks import small_targets
from tests.browser.test_looks import SMALLEST, TARGET, sideways, violations
from tests.journeys.test_several_people import CLERK, COLLEAGUE, acting, named
from tests.world import OPERATOR, World

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def become(visit: Visit, person: Person) -> Page:
    """This browser is now hers."""
    given = named(person) | {"level": "high"}
    await visit.page.context.clear_cookies()
    await visit.page.request.post(f"{visit.issuer}/v1/session/test", data=given, headers={"Origin": visit.issuer})
    return visit.page


async def at(visit: Visit, person: Person, path: str) -> Page:
    page = await become(visit, person)
    await visit.open(path, width=SMALLEST)
    return page


async def fits(page: Page) -> None:
    """For every eye and hand, on the smallest screen."""
    assert await violations(page, accessibility_rules()) == []
    assert await sideways(page) == [SMALLEST, SMALLEST]
    assert await small_targets(page, TARGET) == []


async def assisted(town: World) -> Asked:
    members: dict[str, Any] = acting("assisted", CLERK, witness=named(COLLEAGUE), operator=OPERATOR)
    return await ask(town, OLD_FORM, **members)


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_a_clerk_enters_a_paper_form_once_the_second_person_confirmed(
    visit: Visit, town: World, query: str
) -> None:
    asked = await assisted(town)
    page = await at(visit, CLERK, f"{asked.path}{query}")
    assert "钱**" in await page.inner_text("#ask"), "for whom?"
    assert OLD_FORM.name not in await page.content()
    await fits(page)
    for box in await page.locator(".tick input").all():
        await box.check()
    await page.click("#agree")
    await page.wait_for_selector("#ask-refusal", state="visible")
    assert (await page.inner_text("#ask-refusal")) == (
        "This cannot be signed yet. The second person at the counter has to confirm first."
        if query
        else "现在还不能签名。窗口代录要先由第二个人确认在场。"
    )
    page = await at(visit, COLLEAGUE, f"/me{query}")
    await fits(page)
    await page.click(f"{mine(asked)} a")
    await fits(page)
    assert await page.locator(".tick, #agree").count() == 0, "the second person could sign"
    await page.click(".choices button")
    await page.wait_for_selector("[role=status]")
    await fits(page)
    page = await at(visit, CLERK, f"/me/requests/{asked.request}{query}")
    await agree(page)
    assert await status(asked) == "granted"
    page = await at(visit, OLD_FORM, f"/me{query}")
    told = await page.inner_text(mine(asked))
    assert ("Entered by a clerk from a paper form" if query else "窗口人员凭纸质授权书录入") in told
    await fits(page)
    await page.click(f"{mine(asked)} .withdraw summary")
    await page.click(f"{mine(asked)} .withdraw button")
    await page.wait_for_selector(f"{mine(asked)} .state.withdrawn")
    assert recorded(town, asked, "consent.withdrawn")[0]["by"] == "sign_in"


async def test_whoever_entrusted_somebody_refuses_it_without_scripts(visit: Visit, town: World) -> None:
    asked = await ask(town, OLD_FORM, **acting("entrusted", LIN))
    context = await visit.browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    given = named(OLD_FORM) | {"level": "high"}
    await page.request.post(f"{visit.issuer}/v1/session/test", data=given, headers={"Origin": visit.issuer})
    await page.goto(f"{visit.issuer}/me")
    await page.click(f"{mine(asked)} a")
    assert "有人要替您确认" in await page.inner_text("h1")
    await page.click(".choices button")
    assert await status(asked) == "declined"
    await context.close()


async def test_only_she_opens_again_what_she_said_no_to(visit: Visit, town: World) -> None:
    asked = await ask(town, XU)
    page = await at(visit, XU, asked.path)
    await page.click("#decline")
    await page.wait_for_selector("#decline", state="detached")
    await fits(page)
    await page.goto(f"{visit.issuer}/me")
    await fits(page)
    await page.click(f"{mine(asked)} a")
    await page.click("form[action$=reopen] button")
    await page.wait_for_selector("#agree:enabled")
    await agree(page)
    assert await status(asked) == "granted"
    assert len(recorded(town, asked, "consent.reopened")) == 1


async def test_another_person_finds_nothing_under_the_id(visit: Visit, town: World) -> None:
    asked = await ask(town, XU)
    page = await at(visit, LIN, f"/me/requests/{asked.request}")
    assert "这不是给您的" in await page.inner_text("#sentence")
    assert await status(asked) == "pending"
