"""The pages of one's own data for every eye and hand, in the standard version and at each size of text."""

import gzip
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from playwright.async_api import Page

from broker.pages.text_size import COOKIE, SIZES
from consent.inquiries import OPEN_LIMIT
from policies.vocabulary import Person
from tests.browser.chromium import accessibility_rules
from tests.browser.citizens import Asked
from tests.browser.conftest import Visit
from tests.browser.test_citizen_looks import LARGER_TARGET, THEMES, small_targets
from tests.browser.test_looks import FONT_SIZES, SMALLEST, TARGET, sideways, violations
from tests.browser.test_my_data import answered, enter, looked_up, newcomer, proof
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

LINES = """[...document.querySelectorAll("p, li, dd, h1, h2, a, button, label, textarea")]
  .map((one) => getComputedStyle(one))
  .map(({ lineHeight, fontSize }) => lineHeight === "normal" ? 1 : parseFloat(lineHeight) / parseFloat(fontSize))
  .map((ratio) => Math.round(ratio * 100) / 100)"""
FIRST_LOAD = 60_000
"""Bytes, gzipped (issue 4, point 6)."""


async def states(page: Page, town: World, asked: Asked, query: str) -> AsyncIterator[str]:
    """All that the pages of one's own data can show, a stop at each."""
    issuer = town.issuer
    await page.goto(f"{issuer}/me/inbox{query}")
    yield "inbox"
    await page.goto(f"{issuer}/me/questions{query}")
    yield "nothing asked"
    await page.goto(f"{issuer}/me/accesses{query}")
    yield "accesses"
    await proof(page)
    yield "verified"
    await page.route("**/v1/log/proof**", lambda route: route.abort())
    await page.reload()
    await proof(page)
    yield "not verified"
    await page.unroute("**/v1/log/proof**")
    await page.click("a[href^='/me/corrections/ask/'] >> nth=0")
    yield "correcting"
    await page.fill("#text", "不对")
    await page.click("main button[type=submit]")
    number = await page.inner_text("article code >> nth=0")
    yield "asked"
    await answered(town, number, "已经改了。" * 40)
    await page.reload()
    yield "answered"
    await page.click("main a[href^='/me/accesses/'] >> nth=0")
    yield "one call"
    await page.click("a[href^='/me/questions/ask/']")
    yield "asking"
    await page.evaluate("document.querySelector('#text').removeAttribute('required')")
    await page.click("main button[type=submit]")
    yield "mistake"
    await page.goto(f"{issuer}/me/export{query}")
    yield "export"
    await page.goto(f"{issuer}/me/accesses{'&'.join((query or '?', 'before=1')).replace('?&', '?')}")
    yield "stopped"


@pytest.mark.parametrize(
    ("query", "size", "themes"),
    [("", None, THEMES), ("", SIZES[-1], THEMES[:1]), ("?lang=en", SIZES[-1], THEMES)],
)
async def test_every_state(
    visit: Visit, town: World, query: str, size: int | None, themes: tuple[Literal["light", "dark"], ...]
) -> None:
    """No accessibility rule broken, nothing sideways, no small text or target: standard and largest, at 320 px."""
    rules = accessibility_rules()
    person = newcomer()
    asked = await looked_up(town, person)
    page = visit.page
    await enter(page, visit.issuer, person)
    await page.set_viewport_size({"width": SMALLEST, "height": 700})
    if size is not None:
        await page.context.add_cookies([{"name": COOKIE, "value": str(size), "url": visit.issuer}])
    seen = 0
    async for state in states(page, town, asked, query):
        seen += 1
        for theme in themes:
            await page.emulate_media(color_scheme=theme)
            assert await violations(page, rules) == [], (state, theme)
        assert await sideways(page) == [SMALLEST, SMALLEST], state
        assert min(await page.evaluate(FONT_SIZES)) >= (size or 18), state
        assert await small_targets(page, LARGER_TARGET if size else TARGET) == [], state
        assert min(await page.evaluate(LINES)) >= 1.3, state
        if size is None:  # the reader's own larger text: 200 %
            await page.evaluate("document.documentElement.style.fontSize = '225%'")
            assert await sideways(page) == [SMALLEST, SMALLEST], state
            await page.evaluate("document.documentElement.style.fontSize = ''")
    assert seen == 13


async def test_the_size_of_text_in_steps_by_forms_alone(visit: Visit, town: World) -> None:
    person = newcomer()
    await looked_up(town, person)
    context = await visit.browser.new_context(java_script_enabled=False, viewport={"width": SMALLEST, "height": 700})
    page = await context.new_page()
    await enter(page, visit.issuer, person)
    await page.goto(f"{visit.issuer}/me/accesses")
    sizes = [await _pressed(page, "长辈版")]
    for step in ("字大些", "字小些"):
        while await page.locator(f"text={step}").count():
            sizes.append(await _pressed(page, step))
    assert sizes == [24, 27, 30, 27, 24, 21, 18]
    cookies = {cookie["name"]: cookie for cookie in await context.cookies()}
    assert (cookies[COOKIE]["value"], cookies[COOKIE]["httpOnly"]) == ("18", True)
    assert cookies.keys() == {COOKIE, "broker_session"}
    assert page.url == f"{visit.issuer}/me/accesses"
    assert await _pressed(page, "标准版", TARGET) == 18
    assert await page.get_attribute("html", "class") is None
    assert COOKIE not in {cookie["name"] for cookie in await context.cookies()}
    for forged in ("31", "large", "<b>", "018"):
        await context.add_cookies([{"name": COOKIE, "value": forged, "url": visit.issuer}])
        await page.goto(f"{visit.issuer}/me/accesses")
        assert await page.get_attribute("html", "class") is None
    await context.close()


async def _pressed(page: Page, words: str, target: int = LARGER_TARGET) -> float:
    """The smallest text after a press, in pixels."""
    async with page.expect_navigation():
        await page.click(f"text={words}")
    assert await sideways(page) == [SMALLEST, SMALLEST]
    assert await small_targets(page, target) == []
    sizes: list[float] = await page.evaluate(FONT_SIZES)
    return min(sizes)


async def test_the_first_load_of_each_page_is_small(visit: Visit, town: World) -> None:
    person = newcomer()
    asked = await looked_up(town, person, times=3)
    phone = await town.phone(person)
    about = next(entry["index"] for entry in town.entries() if entry["body"].get("case") == asked.case)
    for number in range(OPEN_LIMIT):
        await phone.post("/v1/me/questions", {"about": about, "text": f"{number}" + "字" * 900})
    for path in ("/me", "/me/accesses", "/me/inbox", "/me/questions", "/me/devices", "/me/export", asked.path):
        assert await first_load(visit, person, path) <= FIRST_LOAD, path


async def first_load(visit: Visit, person: Person, path: str) -> int:
    """Bytes, gzipped, of a page and all that it asks for, in a browser that has nothing of it yet."""
    context = await visit.browser.new_context()
    page = await context.new_page()
    await enter(page, visit.issuer, person)
    async with page.expect_response(f"{visit.issuer}{path}") as first:
        await page.goto(f"{visit.issuer}{path}")
    assert (await first.value).status == 200
    addresses: list[str] = await page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    bodies = [await (await page.request.get(one)).body() for one in (page.url, *addresses)]
    await context.close()
    assert len(bodies) >= 4, addresses
    return sum(len(gzip.compress(body)) for body in bodies)
