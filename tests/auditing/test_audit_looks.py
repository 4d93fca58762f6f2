"""An auditor's day in a real browser: from signing in to the verified log, on a large and on the smallest screen."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from connectors.departments.people import XU
from tests.auditing.case import CASE, REASON, Case
from tests.browser.chromium import ARGUMENTS, PATIENCE, accessibility_rules, find_chromium
from tests.browser.conftest import NOTE_VIOLATIONS
from tests.browser.test_citizen_looks import small_targets
from tests.browser.test_looks import FONT_SIZES, SMALLEST, TARGET, sideways, violations

pytestmark = pytest.mark.asyncio(loop_scope="package")

LARGE = 1280


@dataclass
class Day:
    """The auditor's browser, and what was seen in it."""

    page: Page
    case: Case
    folder: Path
    query: str
    seen: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.case.world.issuer}{path}{self.query}")

    async def fits(self, name: str) -> None:
        """No accessibility rule broken, nothing sideways or too small, on both screens; pictures for the eye."""
        for width in (SMALLEST, LARGE):
            await self.page.set_viewport_size({"width": width, "height": 800})
            await self.page.screenshot(path=self.folder / f"{name}-{width}{self.query[-2:]}.png", full_page=True)
            assert await violations(self.page, accessibility_rules()) == [], (name, width)
            assert await sideways(self.page) == [width, width], name
            assert await small_targets(self.page, TARGET) == [], (name, width)
        assert min(await self.page.evaluate(FONT_SIZES)) >= 18, name
        self.seen.append(name)


@pytest_asyncio.fixture(loop_scope="package")
async def page() -> AsyncIterator[Page]:
    """The test fails where a script erred or the page's policy was violated."""
    troubles: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS), headless=True)
        context = await browser.new_context(accept_downloads=True)
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(NOTE_VIOLATIONS)
        opened = await context.new_page()
        opened.on("pageerror", lambda error: troubles.append(str(error)))
        opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        yield opened
        await browser.close()
    assert [trouble for trouble in troubles if "Failed to load resource" not in trouble] == []


@pytest.mark.parametrize("query", ["", "?lang=en"])
async def test_an_auditors_day(case: Case, page: Page, tmp_path: Path, query: str) -> None:
    day = Day(page, case, tmp_path, query)
    await day.open("/staff/sign-in")
    await page.fill("#number", "a-001")
    await page.click("form[action^='/staff/session'] button")
    await day.fits("home")
    await searching(day)
    await replaying(day)
    await inquiring(day)
    await day.open("/audit/unusual")
    await day.fits("unusual")
    await day.open("/audit/packages")
    await day.fits("packages")
    await verifying(day)
    await day.open("/audit/calls/99999999")
    await day.fits("refused")
    assert len(day.seen) == 12


async def searching(day: Day) -> None:
    page = day.page
    await day.open("/audit/search")
    await page.click("summary")
    await day.fits("search")
    await page.fill("#id_number", XU.id_number)
    await page.fill("#reason", REASON)
    await page.click("details button")
    await page.wait_for_selector("#who")
    assert XU.id_number not in page.url
    await page.select_option("#event", "exchange.released")
    await page.click("form[method=get] button")
    await page.wait_for_selector("#who")
    assert await page.locator("tbody tr").count() == 1
    await day.fits("found")
    assert await page.get_attribute("html", "lang") == ("en" if day.query else "zh-CN")
    await page.click("a.language")
    await page.wait_for_selector("#who")
    assert await page.locator("tbody tr").count() == 1, "another language, the same search"
    await page.click("a.language")
    await page.click("tbody a")


async def replaying(day: Day) -> None:
    page = day.page
    await page.wait_for_selector(".timeline")
    await page.locator("summary").first.click()
    released = f"article:has(button[data-receipt='{day.case.index('exchange.released')}'])"
    await page.click(f"{released} button")
    await page.wait_for_selector(f"{released} .proof[data-state=passed]")
    await day.fits("call")
    await page.fill("#reason", REASON)
    await page.click("form[action^='/audit/calls'] button")
    await page.wait_for_selector(f"text={XU.name[0]}**")
    await day.fits("unmasked")
    async with page.expect_download() as download:
        await page.fill("#package-reason", REASON)
        await page.click("form[action^='/audit/packages'] button")
    assert (await download.value).suggested_filename.endswith(".zip")
    await page.click(f"{released} a >> nth=0")
    await page.wait_for_selector("pre")
    assert CASE in await page.inner_text("pre")
    await day.fits("entry")


async def inquiring(day: Day) -> None:
    page = day.page
    about = day.case.entries("exchange.released")[0]["index"]
    text = f"这是谁查的？{day.query}"
    asked = await day.case.phone.post("/v1/me/questions", {"about": about, "text": text})
    await day.open("/audit/inquiries")
    await day.fits("inquiries")
    await page.click(f"text={asked.members['number']}")
    await page.wait_for_selector("#text")
    await day.fits("inquiry")
    await page.fill("#text", "是您办提取时同意过的。")
    await page.click("form[action^='/audit/inquiries'] button")
    await page.wait_for_selector("#answer")


async def verifying(day: Day) -> None:
    page = day.page
    await day.open("/audit/integrity")
    async with page.expect_navigation():
        await page.click("#start")
    await page.wait_for_selector("#start")
    assert await page.is_visible("#last.active")
    await day.fits("integrity")
