"""The page on which a department's own person answers: found by a link, filled in by keyboard, then collected."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from broker import waiting
from broker.client import RequesterClient
from broker.department_links import Clerk, new_link
from broker.settings import Settings
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import TEMPLATES
from connectors.departments.people import LIN, XU
from tests.browser.chromium import accessibility_rules
from tests.browser.conftest import Visit, visiting
from tests.browser.test_citizen_looks import THEMES, small_targets
from tests.browser.test_looks import FONT_SIZES, SMALLEST, TARGET, sideways, violations
from tests.late.world import BY_HAND, STAFF, TYPED, collected, granted, outcomes, waiting_rows
from tests.world import World, letters, open_world

pytestmark = pytest.mark.asyncio(loop_scope="package")

COUPLE = {"item": "marriage_check_couple", "fields": ["couple_match_result"], "expect": {"couple_match_result": "1"}}
FOCUS = "[document.activeElement.name, parseFloat(getComputedStyle(document.activeElement).outlineWidth)]"


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def office(browser: Browser, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world whose tax office and civil affairs have no machine that answers."""
    folder = tmp_path_factory.mktemp("office")
    routes, secrets = folder / "routes.yaml", folder / "secrets"
    written = [
        (TEMPLATES / f"{name}.yaml.template").read_text(encoding="utf-8") for name in ("tax-manual", "couple-manual")
    ]
    routes.write_text("items:\n" + "".join(written), encoding="utf-8")
    secrets.mkdir(mode=0o700)

    def change(settings: Settings) -> Settings:
        return replace(settings, routes=routes, route_secrets=secrets)

    async with open_world(folder, fleet, change=change) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="package")
async def clerk(browser: Browser, office: World) -> AsyncIterator[Visit]:
    async with visiting(browser, office.issuer) as opened:
        yield opened
    for row in waiting_rows(office):  # what one test leaves must not be in the way of the next
        await office.broker.storage.record(partial(waiting.end, waiting=row.id))


async def asked(office: World) -> tuple[RequesterClient, str]:
    """A centre of its own, and its exchange that waits for the tax office."""
    centre, phone = await office.centre(f"hpf-{letters()[:8]}"), await office.phone()
    exchange = f"office-{letters()[:8]}"
    reply = await office.pull(centre, await granted(office, centre, phone, [{"item": BY_HAND[0]}]), exchange=exchange)
    assert reply.status == 202
    return centre, exchange


async def enter(visit: Visit, office: World, department: str, query: str = "") -> Page:
    broker = office.broker
    link = new_link(broker.keys.issuer, office.issuer, Clerk(department, STAFF), int(broker.now()), 3600)
    return await visit.open(f"/departments/{department}/enter?link={link}{query}")


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until this control has the focus, which must be seen."""
    for _ in range(20):
        await page.keyboard.press("Tab")
        focused, outline = await page.evaluate(FOCUS)
        if focused == name:
            assert outline >= 3, "nobody sees where the keyboard is"
            return
    pytest.fail(f"no Tab leads to {name}")


async def typed(page: Page, answers: dict[str, str]) -> None:
    for name, answer in answers.items():
        await tab_to(page, name)
        await page.keyboard.press("Control+A")
        await page.keyboard.type(answer)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_an_answer_is_typed_by_keyboard_and_collected(clerk: Visit, office: World) -> None:
    centre, exchange = await asked(office)
    page = await enter(clerk, office, "taxation")
    assert page.url == f"{office.issuer}/departments/taxation/waiting", "the link stands in no further address"
    assert XU.id_number in await page.inner_text("main")
    names = [str(await one.get_attribute("name")) for one in await page.locator(".answer input, .answer select").all()]
    answers = {name: TYPED[name] for name in names if name != "person"}
    await tab_to(page, "said")
    await page.keyboard.press("Space")
    await typed(page, {"person": LIN.id_number} | answers)
    assert "不是被查人的" in await page.inner_text("[role=alert]")
    assert await page.input_value("input[name=paid_amount]") == TYPED["paid_amount"], "what was typed is not lost"
    assert page.url.partition("#")[2], "it stands where the mistake is told"
    await typed(page, {"person": XU.id_number, names[-1]: "10月18日"})
    assert "日期写成" in await page.inner_text("[role=alert]")
    await typed(page, {names[-1]: answers[names[-1]]})
    assert "答复收到了" in await page.inner_text("[role=status]")
    assert await page.is_visible("#nothing")
    reply = await collected(office, centre, exchange)
    assert (reply.status, outcomes(reply)) == (200, {BY_HAND[0]: "found"})
    assert reply.members["results"][0]["records"][0]["paid_amount"] == 1234500
    assert not any(XU.id_number in request.url for request in clerk.requests)


async def test_of_what_was_not_found_nothing_is_to_be_filled_in(clerk: Visit, office: World) -> None:
    centre, exchange = await asked(office)
    page = await enter(clerk, office, "taxation")
    assert await page.is_visible(".answer")
    await tab_to(page, "said")
    await page.keyboard.press("ArrowDown")
    assert await page.input_value("input[name=said]:checked") == "no_record"
    assert not await page.is_visible(".answer")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#answered")
    assert outcomes(await collected(office, centre, exchange)) == {BY_HAND[0]: "no_record"}


async def test_of_a_couple_both_are_named(clerk: Visit, office: World) -> None:
    await couple_asked(office)
    page = await enter(clerk, office, "civil_affairs", "&lang=en")
    told = await page.inner_text("dl")
    assert XU.id_number in told
    assert LIN.id_number in told
    assert "We check that the two of you are married" in told, "why, in the reader's language"
    await page.click("a.language")
    assert "和谁" in await page.inner_text("dl")


async def couple_asked(office: World) -> None:
    centre = await office.centre(f"hpf-{letters()[:8]}")
    consents = []
    for party, person in (("applicant", XU), ("spouse", LIN)):
        phone = await office.phone(person)
        request, ticket = await office.ask(centre, person, party=party, items=[COUPLE])
        await phone.open(ticket)
        assert (await phone.agree(ticket, [str(COUPLE["item"])])).status == 201
        consents.append(str((await centre.read(request)).members["consent"]))
    line: list[Any] = [{"party": "applicant", "item": COUPLE["item"]}]
    assert (await office.pull(centre, *consents, items=line)).status == 202


async def states(page: Page) -> AsyncIterator[str]:
    """All that the page can show, a stop at each."""
    yield "asked"
    await page.check("input[value=found]")
    await page.click("button[type=submit]")
    await page.wait_for_selector("[role=alert]")
    yield "mistaken"
    await page.check("input[value=no_record]")
    await page.click("button[type=submit]")
    await page.wait_for_selector("#answered")
    yield "answered"


@pytest.mark.parametrize("query", ["", "&lang=en"])
async def test_every_state_is_for_every_eye_and_hand(clerk: Visit, office: World, query: str) -> None:
    rules = accessibility_rules()
    await asked(office)
    page = await enter(clerk, office, "taxation", query)
    async for state in states(page):
        assert await page.get_attribute("html", "lang") == ("en" if query else "zh-CN")
        for width in (1280, SMALLEST):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await sideways(page) == [width, width], state
            assert min(await page.evaluate(FONT_SIZES)) >= 18, state
            assert await small_targets(page, TARGET) == [], state
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            assert await violations(page, rules) == [], (state, theme)
