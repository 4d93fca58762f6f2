"""The staff's own pages in the browser: by keyboard, at every width, in both languages, accessible."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from broker.staff.roles import Role
from connectors.departments.people import made_up
from tests.browser.chromium import ARGUMENTS, PATIENCE, accessibility_rules, find_chromium
from tests.browser.conftest import NOTE_VIOLATIONS
from tests.browser.test_looks import SMALLEST, sideways, violations
from tests.staff.desk import SAM, found, hire
from tests.world import World

NEW = made_up("新人庚", "19760101", 207)


@pytest_asyncio.fixture
async def page(world: World) -> AsyncIterator[Page]:
    troubles: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS), headless=True)
        context = await browser.new_context()
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(NOTE_VIOLATIONS)
        opened = await context.new_page()
        opened.on("pageerror", lambda error: troubles.append(str(error)))
        opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        yield opened
        await browser.close()
    assert [trouble for trouble in troubles if "Failed to load resource" not in trouble] == []


async def fits(page: Page, folder: Path, name: str) -> None:
    for width in (SMALLEST, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        assert await violations(page, accessibility_rules()) == [], name
        assert await sideways(page) == [width, width], name


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_from_sign_in_to_a_new_colleague_by_keyboard(
    world: World, page: Page, tmp_path: Path, query: str
) -> None:
    await found(world)
    await hire(world, "o-001", SAM, Role.SYSTEM)
    await page.goto(f"{world.issuer}/staff{query}")
    await fits(page, tmp_path, "sign-in")
    await page.focus("#number")
    await page.keyboard.type("s-001")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("footer.leaving")
    await fits(page, tmp_path, "home")
    await page.goto(f"{world.issuer}/staff/people{query}")
    await page.focus("#number")
    for word in ("o-002", "Tab", NEW.name, "Tab", NEW.id_number, "Enter"):
        await (page.keyboard.press(word) if word in ("Tab", "Enter") else page.keyboard.type(word))
    await page.wait_for_selector("#o-002")
    assert NEW.id_number not in await page.content()
    await fits(page, tmp_path, "people")
    await page.click(".leaving button")
    await page.wait_for_selector("#number")


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_the_operators_pages(world: World, page: Page, tmp_path: Path, query: str) -> None:
    await found(world)
    await hire(world, "o-001", SAM, Role.SYSTEM)
    await world.centre()
    await page.goto(f"{world.issuer}/staff{query}")
    await page.fill("#number", "o-001")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("footer.leaving")
    for path in ("/operate", "/operate/keys", "/operate/configuration"):
        await page.goto(f"{world.issuer}{path}{query}")
        await fits(page, tmp_path, path.strip("/").replace("/", "-"))
