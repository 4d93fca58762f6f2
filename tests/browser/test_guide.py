"""The guidance pages for every eye: accessibility rules, the smallest screen, large targets, and on paper."""

from itertools import product
from typing import Final, Literal

import pytest

from tests.browser.chromium import accessibility_rules
from tests.browser.conftest import Visit
from tests.browser.test_looks import FONT_SIZES, SMALLEST, TARGET, sideways, violations
from tests.world import MATTER, World

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAGES: Final = (
    "/guide",
    f"/guide/{MATTER}",
    "/guide/cross_region_loan_application",
    "/guide/bundles/bundle_enterprise_opening",
)
LANGUAGES: Final = ("", "?lang=en")
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
CONNECTED: Final = ("few", "all")
SHEET: Final = b"/Type /Page\n"


@pytest.fixture(params=CONNECTED)
def connected(request: pytest.FixtureRequest, town: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """As the demo is connected, and as if every department were: the longest pages there can be."""
    if request.param == "all":
        every = frozenset(town.broker.catalogue.items)
        monkeypatch.setattr(town.broker.directory, "items", lambda: every)
    return str(request.param)


async def test_no_accessibility_rule_is_broken(visit: Visit, connected: str) -> None:
    for theme, address in product(THEMES, ("/guide", f"/guide/{MATTER}", f"/guide/{MATTER}?lang=en")):
        page = await visit.open(address, theme=theme)
        assert await violations(page, accessibility_rules()) == [], f"{address} {theme} {connected}"


async def test_the_smallest_screen_never_scrolls_sideways(visit: Visit, connected: str) -> None:
    for address in (f"{page}{language}" for page, language in product(PAGES, LANGUAGES)):
        page = await visit.open(address, width=SMALLEST)
        assert await sideways(page) == [SMALLEST, SMALLEST], address
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert await sideways(page) == [SMALLEST, SMALLEST], f"{address}, the reader's own larger text"


async def test_links_are_large_and_lead_somewhere(visit: Visit, town: World) -> None:
    page = await visit.open("/guide", width=SMALLEST)
    links = page.locator("main a")
    catalogue = town.broker.catalogue
    own = [matter for matter in catalogue.matters.values() if not matter.recipient]
    assert await links.count() == len(own) + len(catalogue.bundles), "another department's is told in its bundle"
    for link in await links.all():
        box = await link.bounding_box()
        assert box is not None
        assert box["height"] >= TARGET
    assert min(await page.evaluate(FONT_SIZES)) >= 18
    await page.click(f"a[href='/guide/{MATTER}']")
    assert await page.inner_text("h1") == "购房提取住房公积金"
    await page.click(".up a")
    assert await page.inner_text("h1") == "办事指南"


async def test_it_is_one_or_two_sheets_of_paper(visit: Visit, connected: str) -> None:
    for address in (f"{page}{language}" for page, language in product(PAGES, LANGUAGES)):
        page = await visit.open(address)
        printed = await page.pdf(format="A4", prefer_css_page_size=True)
        assert 1 <= printed.count(SHEET) <= 2, f"{address} {connected}"


async def test_nothing_is_kept_and_nothing_else_is_asked(visit: Visit) -> None:
    """No cookie, no script, no other site: a page that anybody's cache may keep."""
    page = await visit.open(f"/guide/{MATTER}")
    assert await page.context.cookies() == []
    names = {request.url.rpartition("/")[2] for request in visit.requests}
    assert names == {MATTER, "bridge.svg", "style.css", "forms.css", "guide.css"}
    assert all(request.url.startswith(visit.issuer) for request in visit.requests)
