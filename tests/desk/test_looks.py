"""The counter's pages for every eye and hand: languages, themes, 320 to 1280 px, keys that can be switched off."""

from io import BytesIO

import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image
from playwright.async_api import Page

from broker.demo.phone import Phone
from connectors.departments.people import OLD_FORM, TWO_HOMES
from tests.browser.chromium import accessibility_rules
from tests.browser.test_looks import sideways, violations
from tests.desk.conftest import Seat
from tests.desk.counters import CLERK, PIN, Counter
from tests.desk.forms import Clerk
from tests.desk.keyboard import FOCUSED
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

LANGUAGES = ("", "?lang=en")
IN_ENGLISH = ("new", "started", "asking", "answered", "finished")
WIDTHS = (320, 768, 1280)
SMALL = """
[...document.querySelectorAll("a:not(.skip), button, input:not([type=radio], [type=checkbox], [type=hidden]), select")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)
"""
"""What is lower than 44 CSS pixels, WCAG 2.2 (2.5.5)."""


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def addresses(town: World, counter: Counter, phone: Phone) -> dict[str, str]:
    """Each screen there is, and how far its case has come."""
    clerk = Clerk(town.http, counter)
    await clerk.sign_in()
    started, asking, paper, done = [await clerk.start(TWO_HOMES) for _ in range(4)]
    await clerk.send(f"/cases/{asking}/ask", ("item", "deed_tax"))
    await clerk.send(f"/cases/{paper}/paper")
    await clerk.send(f"/cases/{done}/paper")
    await clerk.send(f"/cases/{done}/decide", decision="approved")
    answered = await clerk.start(phone.person)
    await clerk.send(f"/cases/{answered}/ask", ("item", "deed_tax"), ("item", "real_estate_registration"))
    waiting = (await phone.get("/v1/me/requests")).members["waiting"]
    [request] = [one for one in waiting if one["case"] == answered]
    await phone.open(request["id"])
    assert (await phone.agree(request["id"], ["deed_tax", "real_estate_registration"])).status == 201
    await clerk.json(f"/cases/{answered}")
    await clerk.send(f"/cases/{answered}/pull")
    named = {"started": started, "asking": asking, "paper": paper, "finished": done, "answered": answered}
    screens = {name: f"/cases/{case}" for name, case in named.items()} | {"screen": f"/cases/{asking}/screen"}
    return screens | {"list": "/cases", "new": "/new", "parcel": "/parcels", "problem": "/cases/none"}


async def at_desk(seat: Seat) -> Page:
    await seat.keys.sign_in(seat.counter)
    return seat.page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_rule_is_broken_and_nothing_scrolls_sideways(
    seat: Seat, addresses: dict[str, str], language: str
) -> None:
    rules, page = accessibility_rules(), await at_desk(seat)
    for name, address in addresses.items():
        if language and name not in IN_ENGLISH:
            continue
        await page.emulate_media(color_scheme="dark" if name in {"answered", "asking"} and language else "light")
        await page.goto(f"{seat.counter.address}{address}{language}")
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 800})
            assert await sideways(page) == [width, width], (name, width)
        assert await violations(page, rules) == [], name
        assert (await page.get_attribute("html", "lang")) == ("en" if language else "zh-CN")


async def test_targets_are_large(seat: Seat, addresses: dict[str, str]) -> None:
    page = await at_desk(seat)
    await page.set_viewport_size({"width": 320, "height": 800})
    for address in addresses.values():
        await page.goto(f"{seat.counter.address}{address}")
        assert await page.evaluate(SMALL) == [], address


async def test_tab_reaches_everything_and_is_always_seen(seat: Seat, addresses: dict[str, str]) -> None:
    page = await at_desk(seat)
    for name in ("list", "new", "started", "answered"):
        await page.goto(f"{seat.counter.address}{addresses[name]}")
        wanted = await page.locator("main").locator("a:visible, button:visible, select:visible").count()
        await page.evaluate("document.activeElement.blur(), document.querySelector('.skip').focus()")
        reached = 0
        for _ in range(90):
            await page.keyboard.press("Tab")
            inside = await page.evaluate("document.activeElement.matches('main a, main button, main select')")
            reached += inside
            if inside:
                assert (await page.evaluate(FOCUSED))[1] >= 1, name
            if not await page.evaluate("document.activeElement.closest('main, header') !== null"):
                break
        assert reached == wanted, name


async def test_number_keys_work_outside_fields_and_can_be_switched_off(seat: Seat) -> None:
    keys, page = seat.keys, await at_desk(seat)
    await keys.press("3")
    assert await keys.focus() == "find"
    await keys.type("0912")
    assert await page.input_value("#find") == "0912", "in a field a number is a number"
    await keys.press("Escape")
    await keys.send("1")
    assert page.url.endswith("/new")
    await keys.press("Escape")
    await keys.send("0")
    await keys.tab_to("#single-keys")
    await keys.press("Enter")
    await keys.press("1")
    assert page.url.endswith("/cases")
    await keys.press("Enter")


async def test_one_key_renews_the_code_and_another_leads_to_paper(seat: Seat, town: World) -> None:
    keys, page = seat.keys, await at_desk(seat)
    await keys.start_case(OLD_FORM)
    await keys.send("Enter")
    first = await keys.text("#user-code")
    await keys.send("1")
    assert await keys.text("#user-code") != first
    await page.wait_for_function("document.querySelector('#left').textContent.includes('还有')")
    await keys.send("8")
    assert "请本人带来" in await keys.text()
    await keys.press("1")
    await keys.send("Enter")
    assert await keys.text("#decision") == "同意"


async def test_the_customers_screen_shows_the_code_alone(seat: Seat, addresses: dict[str, str]) -> None:
    page = await at_desk(seat)
    await page.goto(f"{seat.counter.address}{addresses['screen']}")
    [read] = zxingcpp.read_barcodes(Image.open(BytesIO(await page.screenshot())))
    assert "/a/" in read.text
    text = await page.inner_text("body")
    for clerks_own in (CLERK[1], TWO_HOMES.name[:1], "换新码", "纸质"):
        assert clerks_own not in text


async def test_the_window_locks_by_key_and_opens_by_pin_where_it_was(seat: Seat) -> None:
    keys, page = seat.keys, await at_desk(seat)
    await keys.send("9")
    assert "窗口已锁定" in await keys.text("h1")
    assert CLERK[1] in await keys.text("main form")
    await keys.type(PIN)
    await keys.send("Enter")
    assert page.url.endswith("/cases")


async def test_the_policy_is_strict_and_nothing_is_kept(town: World, counter: Counter) -> None:
    clerk = Clerk(town.http, counter)
    await clerk.sign_in()
    for address in ("/cases", "/new", "/sign-in", "/cases/none"):
        headers = (await clerk.get(address)).headers
        assert headers["Cache-Control"] == "no-store"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    for address in ("/static/", "/static/nothing.js", "/static/..%2Fapp.py", "/static/%2e%2e/app.py"):
        assert (await clerk.get(address)).status == 404
