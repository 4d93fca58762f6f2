"""/figures for every eye: accessibility rules in both themes, the smallest screen, and a chart that is drawn."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from tests.browser.chromium import ARGUMENTS, accessibility_rules, find_chromium
from tests.browser.test_looks import FONT_SIZES, SMALLEST, sideways, violations
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

BARS = """
[...document.querySelectorAll("svg.bars")].map((svg) => [
  svg.querySelector("title").textContent,
  [...svg.querySelectorAll("text, .bar")].every((one) => {
    const [own, its] = [one.getBoundingClientRect(), svg.getBoundingClientRect()];
    return own.width > 0 && own.left >= its.left - 1 && own.right <= its.right + 1 && own.bottom <= its.bottom + 1;
  }),
])
"""
"""Each chart's title, and whether all its words and bars lie within it."""


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def page(town: World) -> AsyncIterator[Page]:
    path = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield await browser.new_page()
        await browser.close()


async def opened(page: Page, town: World, query: str, width: int, theme: Any = "light") -> Page:
    await page.emulate_media(color_scheme=theme)
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(f"{town.issuer}/figures{query}")
    return page


async def test_no_accessibility_rule_is_broken(page: Page, town: World) -> None:
    for theme, query in (("light", ""), ("dark", "?lang=en")):
        await opened(page, town, query, 1280, theme)
        for one in await page.locator("summary").all():
            await one.click()
        assert await violations(page, accessibility_rules()) == [], f"{theme} {query}"


@pytest.mark.parametrize("width", [SMALLEST, 1280])
async def test_charts_and_tables_fit_the_screen(page: Page, town: World, width: int) -> None:
    for query in ("", "?lang=en"):
        await opened(page, town, query, width)
        assert await sideways(page) == [width, width]
        drawn = await page.evaluate(BARS)
        assert len(drawn) == 2
        assert all(fits for _, fits in drawn), query
        assert min(await page.evaluate(FONT_SIZES)) >= 18
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert await sideways(page) == [width, width], "the reader's own larger text"


async def test_bars_have_the_theme_s_colours_and_a_table_beside(page: Page, town: World) -> None:
    colours = set()
    for theme in ("light", "dark"):
        await opened(page, town, "", 1280, theme)
        colours.add(await page.evaluate("getComputedStyle(document.querySelector('.bars .bar')).fill"))
    assert len(colours) == 2
    text = await page.locator("svg.bars text").all_text_contents()
    await page.locator("summary").first.click()
    assert text[0].split() == (await page.locator("section table").first.inner_text()).split()[-2:]


async def test_the_rating_is_for_every_eye_too(page: Page, town: World) -> None:
    phone = town.phones[-1]
    index = (await phone.get("/v1/me/accesses")).members["accesses"][0]["index"]
    for cookie in phone.http.cookie_jar:
        await page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": town.issuer}])
    await page.set_viewport_size({"width": SMALLEST, "height": 800})
    for theme, query in (("dark", ""), ("light", "?lang=en")):
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        await page.goto(f"{town.issuer}/me/accesses/{index}{query}")
        assert await page.locator("#rating").is_visible()
        assert await violations(page, accessibility_rules()) == []
        assert await sideways(page) == [SMALLEST, SMALLEST]
    await page.get_by_label("Very good").check()
    await page.get_by_role("button", name="Send").click()
    assert "was received" in await page.inner_text("#rating")
