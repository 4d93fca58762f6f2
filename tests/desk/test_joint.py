"""A case of two centres: handed over, sent back for more, supplied, returned; each asks the person itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from connectors.departments.people import LIN
from tests.desk.conftest import seated
from tests.desk.counters import found, in_a_thread, running
from tests.desk.forms import Answered, Clerk
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")


@dataclass
class Pair:
    """Two centres that have each other's card, and a clerk of each."""

    yz: Clerk
    nj: Clerk


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def pair(town: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    here = await found(town, folder / "yz", "yz-joint", "YZJ")
    there = await found(town, folder / "nj", "nj-joint", "NJJ")
    here.change(partners=["../nj/card.json"])
    there.change(partners=["../yz/card.json"])
    async with running(here, there):
        clerks = Pair(Clerk(town.http, here), Clerk(town.http, there))
        await clerks.yz.sign_in()
        await clerks.nj.sign_in()
        yield clerks


async def newest_parcel(clerk: Clerk, case: str) -> str:
    """The text that the other centre is given."""
    told = (await clerk.json(f"/cases/{case}"))["parcels"]
    answered = await clerk.get(f"/cases/{case}/parcels/{told[-1]['id']}")
    assert answered.status == 200
    assert answered.headers["Content-Type"] == "application/jose"
    return answered.text


async def carry(sender: Clerk, receiver: Clerk, case: str) -> Answered:
    return await receiver.send("/parcels", parcel=await newest_parcel(sender, case))


async def standing(clerk: Clerk, case: str) -> tuple[str, str]:
    told = (await clerk.json(f"/cases/{case}"))["case"]
    return told["joint"], told["urgency"]


async def test_a_case_goes_to_the_other_centre_and_comes_back(pair: Pair, town: World) -> None:
    case = await pair.yz.start(LIN)
    refused = await pair.yz.send(f"/cases/{case}/hand-over", partner="nobody", note="请核对")
    assert refused.status == 422
    assert (await pair.yz.send(f"/cases/{case}/hand-over", partner="nj-joint", note="请核对房屋")).status == 303
    text = await newest_parcel(pair.yz, case)
    for canary in (LIN.name, LIN.id_number, case):
        assert canary not in text
    taken = await pair.nj.send("/parcels", parcel=text)
    assert (taken.status, taken.case) == (303, case), "both centres see the same number"
    assert await standing(pair.yz, case) == ("away", "fine")
    assert await standing(pair.nj, case) == ("here", "fine")
    page = (await pair.nj.get(f"/cases/{case}")).text
    assert "请核对房屋" in page
    assert LIN.name not in page
    due = [(await clerk.json(f"/cases/{case}"))["case"]["due"] for clerk in (pair.yz, pair.nj)]
    assert due[0] == due[1]
    assert (await pair.yz.send(f"/cases/{case}/decide", decision="approved")).status == 409, "it is away"

    assert (await pair.nj.send(f"/cases/{case}/more", note="缺结婚证复印件")).status == 303
    assert (await carry(pair.nj, pair.yz, case)).status == 303
    for clerk in (pair.yz, pair.nj):
        assert await standing(clerk, case) == ("more", "stopped")
    assert "缺结婚证复印件" in (await pair.yz.get(f"/cases/{case}")).text
    assert (await pair.yz.send(f"/cases/{case}/supply", note="已补")).status == 303
    assert (await carry(pair.yz, pair.nj, case)).status == 303
    assert await standing(pair.yz, case) == ("away", "fine")
    assert await standing(pair.nj, case) == ("here", "fine")

    assert (await pair.nj.send(f"/cases/{case}/paper")).status == 303
    assert (await pair.nj.send(f"/cases/{case}/decide", decision="approved")).status == 422, "a return says why"
    assert (await pair.nj.send(f"/cases/{case}/decide", decision="approved", note="房屋属实")).status == 303
    assert (await carry(pair.nj, pair.yz, case)).status == 303
    told = await pair.yz.json(f"/cases/{case}")
    assert told["case"]["joint"] == "back"
    assert [(one["kind"], one["outgoing"], one["decision"]) for one in told["parcels"]] == [
        ("handover", True, ""),
        ("more", False, ""),
        ("supplied", True, ""),
        ("return", False, "approved"),
    ]
    assert (await pair.yz.send(f"/cases/{case}/paper")).status == 303
    assert (await pair.yz.send(f"/cases/{case}/decide", decision="approved")).status == 303
    for clerk in (pair.yz, pair.nj):
        for canary in (LIN.name, LIN.id_number, "房屋属实"):
            assert canary.encode() not in clerk.counter.kept()
            assert canary not in clerk.counter.log


async def test_a_parcel_is_taken_in_once_by_its_receiver_and_only_unaltered(pair: Pair, town: World) -> None:
    case = await pair.yz.start(LIN)
    await pair.yz.send(f"/cases/{case}/hand-over", partner="nj-joint", note="请核对")
    text = await newest_parcel(pair.yz, case)
    head, _, nonce, sealed, tag = text.split(".")
    changed = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")
    for wrong in ("", "x", text[:-1], f"{head}..{nonce}.{changed}.{tag}", text + ".x", "." * 4, "é" * 100):
        answered = await pair.nj.send("/parcels", parcel=wrong)
        assert answered.status == 422, wrong[:20]
    assert (await pair.yz.send("/parcels", parcel=text)).status == 422, "its sender cannot open it either"
    assert (await pair.nj.send("/parcels", parcel=f" {text}\r\n")).status == 303
    again = await pair.nj.send("/parcels", parcel=text)
    assert (again.status, "已经收过了" in again.text) == (409, True)
    assert (await pair.nj.get(f"/cases/{case}/parcels/none")).status == 404


async def test_a_centre_that_is_no_partner_is_not_listened_to(
    pair: Pair, town: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = await found(town, tmp_path_factory.mktemp("stranger") / "s", "stranger", "ST")
    stranger.change(partners=[str(pair.nj.counter.folder / "card.json")])
    async with in_a_thread(stranger):
        clerk = Clerk(town.http, stranger)
        await clerk.sign_in()
        case = await clerk.start(LIN)
        await clerk.send(f"/cases/{case}/hand-over", partner="nj-joint", note="请核对")
        assert (await carry(clerk, pair.nj, case)).status == 422


async def test_the_other_centre_asks_her_anew_and_by_keyboard(browser: Browser, pair: Pair, town: World) -> None:
    case = await pair.yz.start(LIN)
    await pair.yz.send(f"/cases/{case}/hand-over", partner="nj-joint", note="请核对契税")
    text = await newest_parcel(pair.yz, case)
    phone = await town.phone(LIN)
    async with seated(browser, pair.nj.counter) as seat:
        keys = seat.keys
        await keys.sign_in(pair.nj.counter)
        await keys.send("2")
        await keys.tab_to("#parcel")
        await seat.page.keyboard.insert_text(text)
        await keys.tab_to("main button")
        await keys.send("Enter")
        assert case in await keys.text("h1")
        await keys.tab_to("#ask")
        await keys.send("Enter")
        code = await keys.text("#user-code")
        told = await pair.nj.json(f"/cases/{case}")
        assert told["request"]["user_code"] == code
        [asked] = [one for one in (await phone.get("/v1/me/requests")).members["waiting"] if one["case"] == case]
        offer = (await phone.open(asked["id"])).members
        assert (await phone.agree(asked["id"], [line["item"] for line in offer["items"]])).status == 201
        await seat.page.wait_for_selector("#agreed")
        await keys.send("1")
        assert "✓ 查到了" in await keys.text("#card-deed_tax")
    entries = [one["body"] for one in town.entries() if one["body"].get("case") == case]
    assert {one["requester"] for one in entries} == {"nj-joint"}
