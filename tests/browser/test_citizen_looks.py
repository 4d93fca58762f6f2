"""Every state of the citizen's pages for every eye and hand: accessibility rules, small screens, large targets."""

from collections.abc import AsyncIterator
from typing import Final, Literal

import pytest
from playwright.async_api import Page

from tests.browser.chromium import accessibility_rules
from tests.browser.citizens import ask, mine, pull, sign_in, tick
from tests.browser.conftest import Visit
from tests.browser.test_looks import FONT_SIZES, SMALLEST, TARGET, sideways, violations
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

TARGETS = "a:not(.skip), button, input:not([type=checkbox], [type=radio]), select, summary, .tick"
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
LARGER_TARGET = 60
"""Of the large version (MIIT specification for older users)."""


async def states(visit: Visit, town: World, query: str) -> AsyncIterator[tuple[str, Page]]:
    """One person's way through all that the pages can show, a stop at each."""
    page = visit.page
    asked, declined = await ask(town), await ask(town)
    await page.goto(f"{visit.issuer}{asked.path}{query}")
    yield "sign-in", page
    await page.fill("#name", "甲")
    await page.fill("#id_number", "1")
    await page.click("form[action^='/sign-in'] button")
    yield "sign-in again", page
    await sign_in(page)
    await page.wait_for_selector("#agree:enabled")
    yield "asked", page
    await page.click("#agree")
    yield "incomplete", page
    await tick(page, "[data-needed]")
    await page.click("#agree")
    await page.wait_for_selector("#sign", state="visible")
    await page.click("#sign summary")
    yield "to sign", page
    await page.click("#confirm")
    await page.wait_for_selector("#done", state="visible")
    yield "signed", page
    await pull(town, asked, (await asked.centre.read(asked.request)).members["consent"])
    await page.goto(f"{visit.issuer}{declined.path}{query}")
    await page.click("#decline")
    await page.wait_for_selector("#decline", state="detached")
    yield "declined", page
    await page.goto(f"{visit.issuer}/me/accesses{query}")
    yield "accesses", page
    await page.goto(f"{visit.issuer}/me/devices{query}")
    await page.click("summary >> nth=0")
    yield "devices", page
    await page.goto(f"{visit.issuer}/me{query}")
    await page.click(f"{mine(asked)} summary")
    yield "mine", page
    await page.click(f"{mine(asked)} .withdraw button")
    await page.wait_for_selector(f"{mine(asked)} .state.withdrawn")
    yield "withdrawn", page
    await page.goto(f"{visit.issuer}/a/nothing{query}")
    yield "stopped", page


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_every_state_in_both_themes_and_languages(visit: Visit, town: World, query: str) -> None:
    """No accessibility rule broken; nothing sideways and no small text or target at 320 px."""
    rules = accessibility_rules()
    await visit.page.set_viewport_size({"width": SMALLEST, "height": 700})
    seen = 0
    async for state, page in states(visit, town, query):
        seen += 1
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            assert await violations(page, rules) == [], (state, theme)
        assert await sideways(page) == [SMALLEST, SMALLEST], state
        assert min(await page.evaluate(FONT_SIZES)) >= 18, state
        assert await small_targets(page, TARGET) == [], state
        assert await page.get_attribute("html", "lang") == ("en" if query else "zh-CN"), state
    assert seen == 12


async def test_the_large_version_stays_and_is_larger(visit: Visit, town: World) -> None:
    await visit.page.set_viewport_size({"width": SMALLEST, "height": 700})
    await visit.page.goto(f"{visit.issuer}/me/devices")
    await visit.page.click("text=长辈版")
    await visit.page.wait_for_selector("html.large")
    assert visit.page.url == f"{visit.issuer}/me/devices"
    async for state, page in states(visit, town, ""):
        assert await page.locator("html.large").count() == 1, state
        assert min(await page.evaluate(FONT_SIZES)) >= 24, state
        assert await small_targets(page, LARGER_TARGET) == [], state
        assert await sideways(page) == [SMALLEST, SMALLEST], state
    await visit.page.click("text=标准版")
    await visit.page.wait_for_selector("html:not(.large)")


async def small_targets(page: Page, least: int) -> list[str]:
    """What a finger could miss."""
    script = """([selector, least]) => [...document.querySelectorAll(selector)]
      .filter((one) => one.checkVisibility())
      .map((one) => [one, one.getBoundingClientRect()])
      .filter(([, box]) => box.height > 0 && box.height < least)
      .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.height}`)"""
    await page.wait_for_load_state("load")
    found: list[str] = await page.evaluate(script, [TARGETS, least])
    return found
