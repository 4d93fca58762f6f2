"""The pages for every eye and hand: small screens, large text, keyboards, both themes and languages."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Page

from policies.refusals import Code
from tests.browser.chromium import accessibility_rules
from tests.browser.conftest import Visit
from tests.browser.test_verify_page import verify
from tests.log.growing import fetch
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

LANGUAGES = ("", "?lang=en")
THEMES = ("light", "dark")
SMALLEST = 320
FOCUSED = """(() => {
  const at = document.activeElement;
  const seen = at.id === "file" ? at.nextElementSibling : at;
  return [at.id || at.className, parseFloat(getComputedStyle(seen).outlineWidth)];
})()"""
FONT_SIZES = """
[...document.querySelectorAll("p, dd, dt, label")].map((one) => parseFloat(getComputedStyle(one).fontSize))
"""
TARGETS = "a:visible:not(.skip), button:visible, input:visible:not(.unseen), textarea:visible, .button"
TARGET = 44
"""CSS pixels, WCAG 2.2 (2.5.5)."""


def texts(answer: dict[str, Any]) -> list[str]:
    """What brings the page through all that it can show."""
    changed = {**answer, "results": answer["results"][1:]}
    return [json.dumps(answer), json.dumps(changed), json.dumps(answer["receipt"]), "x"]


async def violations(page: Page, rules: str) -> list[str]:
    await page.wait_for_load_state("load")
    await page.evaluate(rules)
    found = await page.evaluate("axe.run(document).then(({ violations }) => violations)")
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_accessibility_rule_is_broken(visit: Visit, answer: dict[str, Any], theme: str, language: str) -> None:
    rules = accessibility_rules()
    for address in ("/problems/consent_paused", "/problems/busy", "/verify"):
        page = await visit.open(address + language, theme)
        assert await violations(page, rules) == []
    for text in texts(answer):
        await verify(page, text)
        assert await violations(page, rules) == []


async def test_the_rules_find_what_is_wrong(visit: Visit) -> None:
    page = await visit.open("/verify")
    await page.evaluate("document.querySelector('label[for=vkey]').remove()")
    await page.evaluate("document.querySelector('.lead').style.color = '#cccccc'")
    found = await violations(page, accessibility_rules())
    assert {line.partition(":")[0] for line in found} >= {"color-contrast", "label"}


async def sideways(page: Page) -> list[int]:
    await page.wait_for_load_state("load")  # a page that a click leads to may have no style yet
    size: list[int] = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    return size


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_smallest_screen_never_scrolls_sideways(visit: Visit, answer: dict[str, Any], language: str) -> None:
    for address in [f"/problems/{code}" for code in list(Code)[::6]] + ["/verify"]:
        page = await visit.open(address + language, width=SMALLEST)
        assert await sideways(page) == [SMALLEST, SMALLEST], address
    for size in ("", "200%"):  # the reader's own larger text
        await page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
        for text in texts(answer):
            await verify(page, text)
            assert await sideways(page) == [SMALLEST, SMALLEST], size


async def test_text_and_targets_are_large(visit: Visit, answer: dict[str, Any]) -> None:
    for width in (SMALLEST, 1280):
        page = await visit.open("/verify", width=width)
        await verify(page, json.dumps(answer))
        targets = page.locator(TARGETS)
        assert await targets.count() >= 5
        for target in await targets.all():
            box = await target.bounding_box()
            assert box is not None
            assert box["height"] >= TARGET, await target.inner_text()
        assert min(await page.evaluate(FONT_SIZES)) >= 18


async def test_a_keyboard_is_enough_and_always_sees_where_it_is(visit: Visit, answer: dict[str, Any]) -> None:
    page = await visit.open("/verify")
    stops = []
    for _ in range(6):
        await page.keyboard.press("Tab")
        stops.append(await page.evaluate(FOCUSED))
        if stops[-1][0] == "receipt":
            await page.keyboard.insert_text(json.dumps(answer))
    assert [name for name, _ in stops] == ["skip", "language", "file", "receipt", "vkey", "run"]
    assert all(outline >= 3 for _, outline in stops)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#verdict", state="visible")
    assert await page.evaluate("document.activeElement.id") == "verdict", "what was found is what is read next"
    assert await page.get_attribute("#outcome", "data-state") == "passed"


async def test_an_empty_form_says_what_to_do(visit: Visit) -> None:
    page = await visit.open("/verify")
    await page.click("#run")
    assert await page.inner_text("#nothing") == "请先放入回执。"
    assert await page.evaluate("document.activeElement.id") == "receipt"
    assert not await page.is_visible("#outcome")


async def test_without_scripts_the_page_says_so_and_offers_no_form(visit: Visit, town: World) -> None:
    browser = visit.page.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{town.issuer}/verify")
    assert "JavaScript" in await page.inner_text("main")
    assert not await page.is_visible("#form")
    await context.close()


async def test_the_policy_refuses_what_a_page_must_not_do(visit: Visit) -> None:
    page = await visit.open("/verify")
    attempts = {
        "script-src-elem": "import('data:text/javascript,1').catch(() => 0)",
        "style-src-attr": "document.body.setAttribute('style', 'color: red')",
        "connect-src": "fetch('http://127.0.0.1:9/').catch(() => 0)",
        "require-trusted-types-for": "try { document.body.innerHTML = '<b>' } catch {}",
    }
    for directive, attempt in attempts.items():
        await page.evaluate(attempt)
        async with asyncio.timeout(20):
            while not any(f"policy: {directive}" in trouble for trouble in visit.troubles):
                await page.wait_for_timeout(20)
    visit.troubles.clear()


async def test_each_problem_has_its_page_in_both_languages(town: World) -> None:
    for code in Code:
        chinese, english = [await fetch(town, f"/problems/{code}{language}") for language in LANGUAGES]
        assert '<html lang="zh-CN">' in chinese.body.decode()
        assert '<html lang="en">' in english.body.decode()
        for page in (chinese, english):
            assert page.status == 200
            assert f"<code>{code}</code>" in page.body.decode()
            [policy] = page.headers.getall("Content-Security-Policy")
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
    assert (await fetch(town, "/problems/%3Cscript%3E")).status == 404


async def test_static_files_are_the_packages_and_no_others(town: World) -> None:
    script = await fetch(town, "/static/receipt.js")
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert len(script.body) < 10_000
    for address in ("/static/", "/static/nothing.js", "/static/..%2Frendering.py", "/static/%2e%2e/rendering.py"):
        assert (await fetch(town, address)).status == 404, address
    request = {"If-None-Match": script.headers["ETag"]}
    async with town.http.get(f"{town.issuer}/static/receipt.js", headers=request) as response:
        assert (response.status, await response.read()) == (304, b"")
