"""One day of everybody in Chromium: two centres' clerks, husband and wife, a steward, the operator and an auditor."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Browser, Page

from broker.client import RequesterClient
from broker.desk.settings import read_desk_settings
from broker.staff.roles import Role
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, XU
from policies.vocabulary import Person
from tests.browser.citizens import agree, sign_in
from tests.browser.conftest import visiting
from tests.desk.conftest import Seat, seated
from tests.desk.counters import found as found_counter
from tests.desk.counters import in_a_thread
from tests.staff.desk import SAM, STU, hire
from tests.staff.desk import found as found_staff
from tests.world import World, open_world

pytestmark = pytest.mark.asyncio(loop_scope="package")

ITEM = "deed_tax"
CARD = f"#card-{ITEM}"
PERSONAL = (XU.name, XU.id_number, LIN.name, LIN.id_number, "文昌示例路88号", "12,345.00")
OPERATORS_PAGES = ("/operate", "/operate/departments", "/operate/keys", "/operate/configuration")


@dataclass
class Day:
    """Everybody has a browser profile of their own."""

    world: World
    yz: Seat
    nj: Seat
    husband: Page
    wife: Page
    steward: Page
    operator: Page
    auditor: Page


@asynccontextmanager
async def a_day(folder: Path, fleet: Fleet, browser: Browser) -> AsyncIterator[Day]:
    async with AsyncExitStack() as open_until_evening:
        enter = open_until_evening.enter_async_context
        world = await enter(open_world(folder / "world", fleet))
        await found_staff(world)
        await hire(world, "d-001", STU, Role.STEWARD, "taxation")
        await hire(world, "o-001", SAM, Role.SYSTEM)
        here = await found_counter(world, folder / "yz", "yz-hpf", "YZ")
        there = await found_counter(world, folder / "nj", "nj-hpf", "NJ")
        here.change(partners=["../nj/card.json"])
        there.change(partners=["../yz/card.json"])
        seats: list[Seat] = []
        for counter in (here, there):
            await enter(in_a_thread(counter))
            seats.append(await enter(seated(browser, counter)))
            await seats[-1].keys.sign_in(counter)
        people = [(await enter(visiting(browser, world.issuer))).page for _ in range(2)]
        staff = [(await enter(visiting(browser, world.issuer))).page for _ in range(3)]
        for page, number in zip(staff, ("d-001", "o-001", "a-001"), strict=True):
            await page.goto(f"{world.issuer}/staff/sign-in")
            await page.fill("#number", number)
            await page.click("form[action^='/staff/session'] button")
            await page.wait_for_url("**/staff")
        (yz, nj), (husband, wife), (steward, operator, auditor) = seats, people, staff
        yield Day(world, yz, nj, husband, wife, steward, operator, auditor)


async def test_one_day_of_everybody(browser: Browser, fleet: Fleet, tmp_path: Path) -> None:
    async with a_day(tmp_path, fleet, browser) as day:
        case = await day.yz.keys.start_case(XU)
        await day.yz.keys.send("Enter")
        await signs(day.yz, day.husband, XU)
        await day.yz.keys.send("1")
        assert "✓ 查到了" in await day.yz.keys.text(CARD)

        await his_wife_signs_for_her_own(day, case)
        await hand_over(day.yz, day.nj, "请核对契税")
        await day.nj.page.click("#ask")
        await signs(day.nj, day.husband, XU)

        await the_steward_stops(day)
        await day.nj.page.click("#pull")
        assert await day.nj.keys.text("#stopped") == "契税完税信息：管这项数据的部门暂停了向这家机构提供。"
        await the_operator_sees_no_person(day)
        await the_steward_lifts_it(day)
        await day.nj.page.goto(f"{day.nj.counter.address}/cases/{case}")
        await day.nj.page.click("#pull")
        assert "✓ 查到了" in await day.nj.keys.text(CARD)

        await decide(day.nj, "#return-note")
        await carry(day.nj, day.yz)
        await decide(day.yz)

        number = await he_asks(day)
        await the_auditor_looks_and_answers(day, case, number)
        await he_reads_it_and_withdraws(day)

        events = [entry["event"] for entry in day.world.entries() if entry["body"].get("case") == case]
        assert [events.count(name) for name in ("consent.granted", "exchange.released", "exchange.decided")] == [
            3,
            3,
            2,
        ]
        assert events.count("exchange.refused") == 1
        assert events[-1] == "consent.withdrawn"
        await day.auditor.goto(f"{day.world.issuer}/audit/integrity")
        day.world.check_log()
        for canary in PERSONAL:
            assert canary not in day.world.log.getvalue()


async def signs(counter: Seat, phone: Page, person: Person) -> None:
    """The phone's camera reads the counter's screen; the person reads, ticks and signs."""
    code = await counter.keys.text("#user-code")
    [read] = zxingcpp.read_barcodes(Image.open(BytesIO(await counter.page.screenshot())))
    await phone.goto(read.text)
    if await phone.is_visible("#id_number"):
        await sign_in(phone, person)
    assert await phone.inner_text(".code") == code
    await agree(phone)
    await counter.page.wait_for_selector("#agreed")


async def his_wife_signs_for_her_own(day: Day, case: str) -> None:
    """The desk asks one person: her consent is asked by the centre's other program, with the same key."""
    key = read_desk_settings(day.yz.counter.config).key
    centre = RequesterClient(day.world.http, day.world.issuer, day.yz.counter.requester, key)
    request, ticket = await day.world.ask(centre, LIN, case=case, party="spouse", items=[{"item": ITEM}])
    await day.wife.goto(f"{day.world.issuer}/a/{ticket}")
    await sign_in(day.wife, LIN)
    await agree(day.wife)
    consent = str((await centre.read(request)).members["consent"])
    reply = await day.world.pull(centre, consent, case=case)
    assert reply.status == 200
    assert {(one["party"], one["item"]) for one in reply.members["results"]} == {("spouse", ITEM)}


async def hand_over(sender: Seat, receiver: Seat, note: str) -> None:
    await sender.page.fill("#hand-over-note", note)
    await sender.page.click("form[action*='/hand-over'] button")
    await carry(sender, receiver)


async def carry(sender: Seat, receiver: Seat) -> None:
    """The newest parcel, as a file from one desk to the other."""
    async with sender.page.expect_download() as saved:
        await sender.page.click(".parcels a[download] >> nth=-1")
    text = (await (await saved.value).path()).read_text(encoding="utf-8")
    await receiver.page.goto(f"{receiver.counter.address}/parcels")
    await receiver.page.fill("#parcel", text)
    await receiver.page.click("main form button")
    await receiver.page.wait_for_url("**/cases/*")


async def decide(seat: Seat, note: str = "") -> None:
    if note:
        await seat.page.fill(note, "契税属实")
    await seat.page.check("input[value=approved]")
    await seat.page.click("#decide button")
    await seat.page.wait_for_selector("#decision")


async def the_steward_stops(day: Day) -> None:
    page = day.steward
    await page.goto(f"{day.world.issuer}/steward/items/{ITEM}")
    await page.click("details:has(form[action*='/stop']) > summary")
    await page.select_option("#requester", "nj-hpf")
    await page.fill("#reason", "核实用途")
    await page.click("form[action*='/stop'] button")
    await page.wait_for_selector(".stopped")


async def the_steward_lifts_it(day: Day) -> None:
    await day.steward.click("form[action*='/start'] button")
    await day.steward.wait_for_selector(".stopped", state="detached")


async def the_operator_sees_no_person(day: Day) -> None:
    for path in OPERATORS_PAGES:
        await day.operator.goto(f"{day.world.issuer}{path}")
        assert path in day.operator.url
        content = await day.operator.content()
        assert [word for word in PERSONAL if word in content] == [], path


async def he_asks(day: Day) -> str:
    page = day.husband
    await page.goto(f"{day.world.issuer}/me/accesses")
    told = await page.inner_text("main")
    assert told.count("3号窗口") >= 2, "both counters looked"
    await page.click("text=这是怎么回事？ >> nth=0")
    await page.fill("#text", "为什么南京也查了？")
    await page.click("main form button")
    await page.wait_for_selector("article h2 code")
    return await page.inner_text("article h2 code")


async def the_auditor_looks_and_answers(day: Day, case: str, number: str) -> None:
    page = day.auditor
    await page.goto(f"{day.world.issuer}/audit/search?case={case}&event=exchange.released")
    assert await page.locator("tbody tr").count() >= 3
    await page.click("tbody a >> nth=0")
    await page.wait_for_selector(".timeline")
    await page.goto(f"{day.world.issuer}/audit/inquiries")
    await page.click(f"text={number}")
    assert "为什么南京也查了？" in await page.inner_text("main")
    await page.fill("#text", "扬州把业务移交南京核对，您在窗口同意过。")
    await page.click("main form button")
    await page.wait_for_url("**/audit/inquiries**")


async def he_reads_it_and_withdraws(day: Day) -> None:
    page = day.husband
    await page.goto(f"{day.world.issuer}/me/questions")
    assert "扬州把业务移交南京核对" in await page.inner_text("main")
    await page.goto(f"{day.world.issuer}/me")
    await page.click("article .withdraw summary >> nth=0")
    await page.click("article .withdraw button >> nth=0")
    await page.wait_for_selector(".state.withdrawn")
