"""A steward's day in the browser: stop, start, tell of an outage, look into calls, answer; readable on every screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from broker.stewards import patterns
from tests.browser.chromium import ARGUMENTS, PATIENCE, accessibility_rules, find_chromium
from tests.browser.conftest import NOTE_VIOLATIONS
from tests.browser.test_citizen_looks import small_targets
from tests.browser.test_looks import SMALLEST, TARGET, sideways, violations
from tests.stewards.conftest import ITEM, Town
from tests.stewards.planted import look, put
from tests.stewards.test_applications import filed
from tests.stewards.test_corrections import corrected

pytestmark = pytest.mark.asyncio(loop_scope="package")

WIDE = 1280


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS), headless=True)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="package")
async def page(town: Town, browser: Browser) -> AsyncIterator[Page]:
    """Signed in as the tax office's steward. Fails where the page's policy was violated."""
    troubles: list[str] = []
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(NOTE_VIOLATIONS)
    opened = await context.new_page()
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    await opened.goto(f"{town.world.issuer}/staff/sign-in")
    await opened.fill("#number", "d-001")
    await opened.click("main button")
    await opened.wait_for_url("**/staff")
    yield opened
    await context.close()
    assert [trouble for trouble in troubles if "Failed to load resource" not in trouble] == []


async def fits(page: Page, folder: Path, name: str) -> None:
    """In Chinese on the smallest screen and in English on a wide one: no rule broken, no small target, a picture.

    Nothing goes sideways in either language on either screen.
    """
    for language, width in (("zh", SMALLEST), ("zh", WIDE), ("en", WIDE), ("en", SMALLEST)):
        if language == "en" and width == WIDE:
            await page.goto(page.url + ("&" if "?" in page.url else "?") + "lang=en")
        await page.set_viewport_size({"width": width, "height": 900})
        assert await sideways(page) == [width, width], (name, language, width)
        assert await small_targets(page, TARGET) == [], (name, language, width)
        if (language, width) in (("zh", SMALLEST), ("en", WIDE)):
            await page.screenshot(path=folder / f"{name}-{language}.png", full_page=True)
            assert await violations(page, accessibility_rules()) == [], (name, language)
    await page.go_back()


async def opened(page: Page, action: str) -> None:
    await page.click(f"details:has(form[action*='{action}']) > summary")


async def test_the_switch_and_an_outage(town: Town, page: Page, tmp_path: Path) -> None:
    await fits(page, tmp_path, "home")
    await page.click("main a[href='/steward/items']")
    await fits(page, tmp_path, "items")
    await page.click(f"a[href='/steward/items/{ITEM}']")
    await opened(page, "/stop")
    await page.select_option("#requester", "yz-hpf")
    await page.fill("#reason", "核实用途")
    await page.click("form[action*='/stop'] button")
    await page.wait_for_selector(".stopped")
    assert "核实用途" in await page.inner_text(".stopped")
    await opened(page, "/outages")
    await page.fill("#from", "2099-01-01T00:00")
    await page.fill("#to", "2099-01-02T00:00")
    await page.fill("#words", "系统升级")
    await page.click("form[action$='/outages'] button")
    await page.wait_for_selector("text=系统升级")
    await fits(page, tmp_path, "item")
    assert (await town.pull(await town.consent())).code == "releases_stopped"
    await page.click("form[action*='/cancel'] button")
    await page.click("form[action*='/start'] button")
    await page.wait_for_selector(".stopped", state="detached")
    assert (await town.pull(await town.consent())).status == 200


async def test_who_used_it_and_a_day_at_a_glance(town: Town, page: Page, tmp_path: Path) -> None:
    assert (await town.pull(await town.consent())).status == 200
    await put(town.world, [look("bj-hpf") for _ in range(patterns.MULTIPLE_FROM)])
    await page.goto(f"{town.world.issuer}/steward/uses")
    await fits(page, tmp_path, "uses")
    await page.click("a[href*='/calls'][href*='yz-hpf']")
    assert "clerk-07" in await page.inner_text("main")
    await fits(page, tmp_path, "calls")
    await page.goto(f"{town.world.issuer}/steward/uses/day")
    assert "规则：" in await page.inner_text(".mark >> nth=0")
    await fits(page, tmp_path, "day")


async def test_answering_corrections_and_applications(town: Town, page: Page, tmp_path: Path) -> None:
    issuer, correction, application = town.world.issuer, await corrected(town, "这里不对"), filed(town, basis="")
    await page.goto(f"{issuer}/steward/corrections")
    await fits(page, tmp_path, "corrections")
    await page.click(f"a[href='/steward/corrections/{correction}']")
    await fits(page, tmp_path, "correction")
    await page.fill("#text", "已经改好了")
    await page.click("button[type=submit]")
    await page.wait_for_selector("text=已经改好了")
    await page.goto(f"{issuer}/steward/applications")
    await fits(page, tmp_path, "applications")
    await page.click(f"a[href='/steward/applications/{application}']")
    await fits(page, tmp_path, "application")
    await opened(page, "/return")
    await page.click("form[action*='/return'] button")
    await opened(page, "/complete")
    await page.fill("#basis", "条例第二十四条")
    await page.click("form[action*='/complete'] button")
    await page.click("form[action*='/grant'] button")
    await page.wait_for_selector("form[action*='/supply']")


async def test_noting_an_agreement(town: Town, page: Page, tmp_path: Path) -> None:
    await page.goto(f"{town.world.issuer}/steward/agreements")
    await opened(page, "/agreements")
    await page.check(f"input[name='item.{ITEM}']")
    await page.fill("#from", "2026-01-01")
    await page.fill("#until", "2099-12-31")
    await page.fill("#reference", "扬税协7号")
    await page.click("button[type=submit]")
    await page.wait_for_selector("text=扬税协7号")
    await opened(page, "/agreements")
    await fits(page, tmp_path, "agreements")
