"""From sign-in to receipt by keyboard alone, a phone answering; and what the log and the desk hold then."""

from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import select

from broker.demo.phone import Phone, ticket_of
from broker.desk import cases, tables
from broker.desk.settings import read_desk_settings
from broker.desk.store import Store
from connectors.departments.people import NO_HOME, XU
from tests.desk.conftest import Seat
from tests.desk.counters import CLERK, DESK, Counter
from tests.desk.forms import Clerk
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

ADDRESS = "示例区文昌示例路88号2幢902室"


async def answer(seat: Seat, phone: Phone) -> None:
    """The camera reads the code; the person reads, and signs all of it."""
    picture = Image.open(BytesIO(await seat.page.screenshot()))
    [read] = zxingcpp.read_barcodes(picture)
    ticket = ticket_of(read.text)
    offer = await phone.open(ticket)
    assert offer.status == 200, offer.members
    await seat.page.wait_for_selector("#status[data-status=opened]")
    agreed = await phone.agree(ticket, [line["item"] for line in offer.members["items"]])
    assert agreed.status == 201, agreed.members


async def test_from_sign_in_to_receipt_without_a_mouse(seat: Seat, town: World, phone: Phone) -> None:
    keys = seat.keys
    await keys.sign_in(seat.counter)
    case = await keys.start_case(XU)
    await keys.send("Enter")
    assert await seat.page.get_attribute("#status", "data-status") == "pending"
    await answer(seat, phone)
    await seat.page.wait_for_selector("#agreed")
    await keys.send("1")
    assert "✓ 查到了" in await keys.text("#card-deed_tax")
    assert XU.id_number not in await seat.page.content()
    assert "12,345.00" not in await keys.text()
    await keys.press("2")
    await keys.tab_to("#card-deed_tax button[value$='paid_amount']")
    await keys.send("Enter")
    assert "12,345.00 元" in await keys.text("#card-deed_tax .shown")
    await keys.press("8")
    await keys.send("Enter")
    assert await keys.text("#decision") == "同意"
    await keys.send("5")
    assert "5 / 5" in await keys.text("#rated")
    entries = [one for one in town.entries() if one["body"].get("case") == case]
    assert [one["event"] for one in entries if one["event"].startswith("exchange.")] == [
        "exchange.admitted",
        "exchange.released",
        "exchange.viewed",
        "exchange.decided",
    ]
    assert entries[-1]["body"]["operator"] == {"id": CLERK[0], "desk": DESK}
    assert entries[-1]["body"]["decision"] == "approved"


async def test_the_desk_keeps_no_clear_value_and_after_the_decision_none_at_all(
    counter: Counter, town: World, phone: Phone
) -> None:
    clerk = Clerk(town.http, counter)
    await clerk.sign_in()
    case = await clerk.start(XU)
    await clerk.send(f"/cases/{case}/ask", ("item", "deed_tax"), ("item", "real_estate_registration"))
    store = Store(counter.folder / "desk.db")
    vault = read_desk_settings(counter.config).vault
    link = store.now(lambda connection: cases.read(connection, vault, case)).link
    assert link is not None
    await phone.open(ticket_of(link["consent_url"]))
    assert (await phone.agree(ticket_of(link["consent_url"]), ["deed_tax", "real_estate_registration"])).status == 201
    assert (await clerk.json(f"/cases/{case}"))["case"]["stage"] == "agreed"
    await clerk.send(f"/cases/{case}/pull")
    page = await clerk.get(f"/cases/{case}")
    shown = await clerk.send(f"/cases/{case}/show", value="applicant/deed_tax/0/location")
    assert ADDRESS in shown.text
    assert ADDRESS not in page.text
    canaries = [XU.name, XU.id_number, ADDRESS, "12345.00", "1234500", link["consent_url"].rsplit("/", 1)[1]]
    for canary in canaries:
        assert canary.encode() not in counter.kept(), "clear in the database"
        assert canary not in counter.log
    sealed = store.now(lambda connection: connection.execute(select(tables.answer)).all())
    mine = [bytes(row.sealed_records) for row in sealed if row.case == case]
    assert len(mine) == 2
    assert (await clerk.send(f"/cases/{case}/decide", decision="refused")).status == 303
    for gone in mine:
        assert gone[:32] not in counter.kept(), "what was destroyed is overwritten"
    told = await clerk.json(f"/cases/{case}")
    assert {card["outcome"] for card in told["cards"]} == {"found"}
    assert not any(card["values"] for card in told["cards"])
    assert [one["results"] for one in told["receipts"]] == [2]
    assert (await clerk.send(f"/cases/{case}/show", value="applicant/deed_tax/0/location")).status == 409
    store.close()


async def test_a_low_rating_becomes_a_task_and_a_task_is_finished_with_a_note(counter: Counter, town: World) -> None:
    clerk = Clerk(town.http, counter)
    await clerk.sign_in()
    case = await clerk.start(NO_HOME)
    await clerk.send(f"/cases/{case}/paper")
    assert "不动产权证" in (await clerk.get(f"/cases/{case}")).text
    await clerk.send(f"/cases/{case}/decide", decision="returned")
    for wrong in ("0", "6", "x", "", "55", "١"):
        assert (await clerk.send(f"/cases/{case}/rate", rating=wrong)).status == 422
    assert (await clerk.send(f"/cases/{case}/rate", rating="2")).status == 303
    assert (await clerk.send(f"/cases/{case}/rate", rating="5")).status == 409, "once"
    [task] = [one for one in (await clerk.json("/cases"))["tasks"] if one["case"] == case]
    assert task["clock"] == "还有 5 天"
    assert (await clerk.send(f"/tasks/{task['id']}", note=" ")).status == 422
    assert (await clerk.send(f"/tasks/{task['id']}", note="已电话回访")).status == 303
    assert (await clerk.send(f"/tasks/{task['id']}", note="已电话回访")).status == 404
    assert case not in [one["case"] for one in (await clerk.json("/cases"))["tasks"]]
    assert "已电话回访".encode() not in counter.kept()
