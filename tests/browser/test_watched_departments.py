"""The operators' page for every eye: accessibility rules, the smallest screen, without scripts, nothing else asked."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Final

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Page

from broker.staff.roles import Role
from connectors.departments.fleet import Fleet
from connectors.hours import Outage
from tests.browser.chromium import accessibility_rules
from tests.browser.conftest import Visit
from tests.browser.test_citizen_looks import small_targets
from tests.browser.test_looks import LANGUAGES, SMALLEST, TARGET, THEMES, sideways, violations
from tests.staff.desk import SAM, found, hire
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

PATH: Final = "/operate/departments"
OUTAGE: Final = Outage("2020-01-01 00:00", "2099-12-31 06:00", "系统升级，请于下一个工作日再来查询")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def troubled(town: World, fleet: Fleet) -> AsyncIterator[World]:
    """One department failing, one refusing, one closed with a quota that is spent, one well: the longest cards."""
    fleet.set_fault("civil_affairs", "500")
    fleet.set_fault("beijing_fund", "429")
    centre, phone = await town.centre("watched-hpf"), await town.phone()
    await town.pull(centre, await town.grant(centre, phone))
    (tax,) = town.broker.directory._ways["deed_tax"]
    before = tax.limits
    tax.limits = msgspec.structs.replace(before, outages=(OUTAGE,), per_minute=10_000, per_day=1_000_000)
    await found(town)
    await hire(town, "o-001", SAM, Role.SYSTEM)
    yield town
    tax.limits = before
    for name in ("civil_affairs", "beijing_fund"):
        fleet.set_fault(name, "none")


@pytest_asyncio.fixture(loop_scope="package")
async def seated(visit: Visit, troubled: World) -> Visit:
    """Signed in as a system administrator."""
    headers = {"Origin": visit.issuer}
    await visit.page.request.post(f"{visit.issuer}/staff/session/test", form={"number": "o-001"}, headers=headers)
    return visit


async def states(page: Page) -> set[str]:
    found: list[str] = await page.locator("article").evaluate_all("all => all.map((one) => one.dataset.state)")
    return set(found)


async def test_no_accessibility_rule_is_broken(seated: Visit) -> None:
    for theme, language in product(THEMES, LANGUAGES):
        page = await seated.open(PATH + language, theme=theme)
        assert {"well", "failing", "refusing", "closed"} <= await states(page)
        assert await violations(page, accessibility_rules()) == [], f"{language} {theme}"


async def test_the_smallest_screen_never_scrolls_sideways(seated: Visit) -> None:
    for language in LANGUAGES:
        page = await seated.open(PATH + language, width=SMALLEST)
        assert await sideways(page) == [SMALLEST, SMALLEST], language
        assert await small_targets(page, TARGET) == []
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert await sideways(page) == [SMALLEST, SMALLEST], f"{language}, the reader's own larger text"


async def test_on_a_wide_screen_a_route_is_one_row(seated: Visit) -> None:
    page = await seated.open(PATH, width=1280)
    assert await sideways(page) == [1280, 1280]
    for one in await page.locator("article").all():
        heights = await one.locator("dl > div").evaluate_all("all => all.map((one) => one.offsetTop)")
        assert len(set(heights)) <= 2, "cells beside each other"


async def test_it_is_filtered_by_links_alone_and_asks_for_nothing_else(seated: Visit) -> None:
    kept = await seated.page.context.storage_state()
    context = await seated.browser.new_context(java_script_enabled=False, storage_state=kept)
    page = await context.new_page()
    names: set[str] = set()
    page.on("request", lambda request: names.add(request.url.removeprefix(seated.issuer).partition("?")[0]))
    await page.goto(f"{seated.issuer}{PATH}")
    assert await page.locator("article").count() == 5
    await page.click("text=拒绝 1")
    assert page.url == f"{seated.issuer}{PATH}?state=refusing"
    assert await page.locator("article").get_attribute("id") == "beijing-fund"
    await page.click("text=English")
    assert page.url == f"{seated.issuer}{PATH}?state=refusing&lang=en"
    assert await page.locator(".states [aria-current]").inner_text() == "Refusing 1"
    await context.close()
    assert names == {
        PATH,
        *(
            f"/static/{name}"
            for name in ("bridge.svg", "style.css", "forms.css", "citizen.css", "staff.css", "watched.css")
        ),
    }
