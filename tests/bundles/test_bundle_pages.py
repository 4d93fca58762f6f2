"""A retirement in the browser: one link, parts by recipient, some agreed to and some not, and how far it all is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from connectors.departments.people import FIRM, UNMARRIED
from tests.browser.chromium import ARGUMENTS, PATIENCE, accessibility_rules, find_chromium
from tests.browser.citizens import sign_in
from tests.browser.conftest import NOTE_VIOLATIONS
from tests.browser.test_citizen_looks import small_targets
from tests.browser.test_looks import FONT_SIZES, SMALLEST, TARGET, sideways, violations
from tests.bundles.people import OPENING, about_firm, ask, link, pull, recipients
from tests.world import World


@pytest_asyncio.fixture
async def page(town: World) -> AsyncIterator[Page]:
    """Of the smallest screen. The test fails where a script erred or the page's policy was violated."""
    troubles: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS), headless=True)
        context = await browser.new_context(viewport={"width": SMALLEST, "height": 700})
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(NOTE_VIOLATIONS)
        opened = await context.new_page()
        opened.on("pageerror", lambda error: troubles.append(str(error)))
        opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        yield opened
        await browser.close()
    assert [trouble for trouble in troubles if "Failed to load resource" not in trouble] == []


async def fits(page: Page, folder: Path, name: str) -> None:
    """Nothing sideways, no small text or target, no accessibility rule broken; the picture is kept for the eye."""
    await page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert await violations(page, accessibility_rules()) == [], name
    assert await sideways(page) == [SMALLEST, SMALLEST], name
    assert min(await page.evaluate(FONT_SIZES)) >= 18, name
    assert await small_targets(page, TARGET) == [], name


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_some_agreed_some_not_and_how_far_it_is(town: World, page: Page, tmp_path: Path, query: str) -> None:
    them = await recipients(town)
    filed = await ask(them.fund)
    await page.goto(f"{town.issuer}/a/{link(filed)}{query}")
    await sign_in(page)
    await page.wait_for_selector("#agree:enabled")
    assert await page.locator("h2.recipient").count() == 3
    await fits(page, tmp_path, "asked")
    await page.click("#agree")
    assert await page.is_visible("#mistake-nothing")
    await page.locator(".tick input[data-part='0']").first.check()
    await page.click("#agree")
    assert await page.is_visible("#mistake-needed"), "the rest of a part that is begun"
    for part in (0, 2):
        for box in await page.locator(f".tick input[data-part='{part}']").all():
            await box.check()
    await page.click("#agree")
    await page.wait_for_selector("#sign", state="visible")
    assert await page.locator(".signing:visible").count() == 2
    assert "yz-hr" in await page.inner_text("#not-agreed")
    await fits(page, tmp_path, "to-sign")
    await page.click("#confirm")
    await page.wait_for_selector("#done", state="visible")
    assert await page.locator("#receipts a:visible").count() == 2
    await fits(page, tmp_path, "done")
    told = (await them.fund.read(filed.members["id"])).members
    assert [part["status"] for part in told["parts"]] == ["granted", "declined", "granted"]
    consent = (await them.fund.read(told["parts"][0]["id"])).members["consent"]
    assert (await pull(town, them.fund, "retirement_withdrawal", consent)).status == 200
    await page.goto(f"{town.issuer}/a/{link(filed)}{query}")
    assert f"/me/bundles/{filed.members['id']}" in page.url, "all is answered: how far it is"
    text = await page.inner_text("main")
    words = ("查到了", "您没有同意", "还没有查") if not query else ("found", "You did not agree", "not looked up yet")
    for word in words:
        assert word in text
    await fits(page, tmp_path, "progress")
    await page.goto(f"{town.issuer}/me{query}")
    await fits(page, tmp_path, "mine")
    await page.click(f"a[href^='/me/bundles/{filed.members['id']}']")
    town.check_log()


async def test_a_handler_signs_for_the_firm_and_for_herself(town: World, page: Page, tmp_path: Path) -> None:
    them = await recipients(town)
    filed = await ask(them.fund, OPENING, subject=about_firm())
    await page.goto(f"{town.issuer}/a/{link(filed)}")
    await sign_in(page, UNMARRIED)
    await page.wait_for_selector("#agree:enabled")
    text = await page.inner_text("main")
    assert FIRM.name in text, "the handler must see for which firm"
    assert "您自己" in text
    assert "没有接入" in text
    await fits(page, tmp_path, "firm")
    for box in await page.locator(".tick input").all():
        await box.check()
    await page.click("#agree")
    await page.wait_for_selector("#sign", state="visible")
    assert await page.is_hidden("#not-agreed")
    await page.click("#confirm")
    await page.wait_for_selector("#done", state="visible")
    told = (await them.fund.read(filed.members["id"])).members
    assert told["status"] == "granted"
    await page.goto(f"{town.issuer}/me")
    assert "经办人" in await page.inner_text("main")
    await fits(page, tmp_path, "firm-mine")


async def test_without_scripts_a_bundle_can_be_read_and_declined(town: World, tmp_path: Path) -> None:
    them = await recipients(town)
    filed = await ask(them.fund)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS), headless=True)
        page = await (await browser.new_context(java_script_enabled=False)).new_page()
        await page.goto(f"{town.issuer}/a/{link(filed)}")
        await sign_in(page)
        assert await page.locator("fieldset.item").count() == 5
        await page.click("#decline")
        assert "/me/bundles/" in page.url
        await browser.close()
    told = (await them.fund.read(filed.members["id"])).members
    assert told["status"] == "declined"
