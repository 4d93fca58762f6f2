"""What departments answer, as the counter tells it: "查不到", "暂时查不了" and "不允许查" are never confused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import LogSigner
from broker.demo.phone import Phone
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import UNKNOWN, XU
from tests.desk.counters import Counter, found, in_a_thread
from tests.desk.forms import Clerk
from tests.late.world import Hand, arrived, open_late_world
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

TAX, HOME, FUND, MARRIED = "deed_tax", "real_estate_registration", "hpf_remote_account", "marriage_check_single"


@pytest_asyncio.fixture(loop_scope="package")
async def clerk(town: World, counter: Counter) -> Clerk:
    made = Clerk(town.http, counter)
    await made.sign_in()
    return made


async def agreed(clerk: Clerk, phone: Phone, *items: str, **claims: str) -> str:
    """A case whose person has signed for these items; not looked up yet."""
    case = await clerk.start(phone.person)
    asked = await clerk.send(f"/cases/{case}/ask", *(("item", item) for item in items), *claims.items())
    assert asked.status == 303, asked.text
    [waiting] = [one for one in (await phone.get("/v1/me/requests")).members["waiting"] if one["case"] == case]
    assert (await phone.open(waiting["id"])).status == 200
    assert (await phone.agree(waiting["id"], list(items))).status == 201
    assert (await clerk.json(f"/cases/{case}"))["case"]["stage"] == "agreed"
    return case


async def cards(clerk: Clerk, case: str) -> dict[str, tuple[str, str]]:
    told: dict[str, Any] = await clerk.json(f"/cases/{case}")
    return {card["item"]: (card["outcome"], card["word"]) for card in told["cards"]}


async def test_trouble_is_asked_again_under_the_same_use(clerk: Clerk, phone: Phone, fleet: Fleet, town: World) -> None:
    claim = f"{MARRIED}.marital_status"
    case = await agreed(clerk, phone, TAX, FUND, MARRIED, **{claim: "10"})
    fleet.set_fault("beijing_fund", "500")
    try:
        assert (await clerk.send(f"/cases/{case}/pull")).status == 303
    finally:
        fleet.set_fault("beijing_fund", "none")
    assert await cards(clerk, case) == {
        TAX: ("found", "✓ 查到了"),
        FUND: ("department_down", "! 暂时查不了"),
        MARRIED: ("mismatch", "✗ 不一致"),
    }
    assert "不等于没有记录" in (await clerk.get(f"/cases/{case}")).text
    assert (await clerk.send(f"/cases/{case}/again")).status == 303
    assert (await cards(clerk, case))[FUND] == ("found", "✓ 查到了")
    admitted = [one["body"] for one in town.entries() if one["event"] == "exchange.admitted"]
    mine = [body for body in admitted if body["case"] == case]
    assert len(mine) == 2
    assert len({body["exchange"] for body in mine}) == 1
    assert [one["use"] for body in mine for one in body["consents"]] == [1, 1]


async def test_no_record_is_an_answer(clerk: Clerk, town: World) -> None:
    phone = await town.phone(UNKNOWN)
    case = await agreed(clerk, phone, TAX, HOME)
    await clerk.send(f"/cases/{case}/pull")
    assert await cards(clerk, case) == {TAX: ("no_record", "○ 查不到"), HOME: ("no_record", "○ 查不到")}
    assert 'id="again"' not in (await clerk.get(f"/cases/{case}")).text


async def test_a_withdrawal_before_the_look_up_is_told_plainly(clerk: Clerk, phone: Phone) -> None:
    case = await agreed(clerk, phone, TAX)
    [consent] = [one for one in (await phone.get("/v1/me/consents")).members["consents"] if one["case"] == case]
    assert (await phone.withdraw(consent["jti"])).status == 200
    refused = await clerk.send(f"/cases/{case}/pull")
    assert (refused.status, "撤回" in refused.text) == (409, True)
    assert (await clerk.json(f"/cases/{case}"))["cards"] == []


async def test_the_person_says_no_and_may_think_again(clerk: Clerk, phone: Phone) -> None:
    case = await clerk.start(XU)
    await clerk.send(f"/cases/{case}/ask", ("item", TAX))
    [waiting] = [one for one in (await phone.get("/v1/me/requests")).members["waiting"] if one["case"] == case]
    await phone.open(waiting["id"])
    assert (await phone.post(f"/v1/me/requests/{waiting['id']}/decline")).status == 200
    told = await clerk.get(f"/cases/{case}")
    assert "本人没有同意" in told.text
    refused = await clerk.send(f"/cases/{case}/ask", ("item", TAX))
    assert refused.status == 409, "a clear no is not asked about again"
    assert (await phone.post(f"/v1/me/requests/{waiting['id']}/reopen")).status == 200
    assert "本人没有同意" in (await clerk.get(f"/cases/{case}")).text, "not until she has said yes"
    assert (await phone.open(waiting["id"])).status == 200
    assert (await phone.agree(waiting["id"], [TAX])).status == 201
    assert (await clerk.json(f"/cases/{case}"))["case"]["stage"] == "agreed", "her second thought counts"
    assert (await clerk.send(f"/cases/{case}/paper")).status == 303
    assert (await clerk.json(f"/cases/{case}"))["case"]["stage"] == "paper"


async def test_a_receipt_of_another_log_is_not_believed(
    town: World, phone: Phone, tmp_path_factory: pytest.TempPathFactory
) -> None:
    misled = await found(town, tmp_path_factory.mktemp("misled") / "d", "misled", "MI")
    origin = town.vkey.partition("+")[0]
    misled.change(log_vkey=LogSigner(origin, Ed25519PrivateKey.generate()).vkey)
    async with in_a_thread(misled):
        clerk = Clerk(town.http, misled)
        await clerk.sign_in()
        case = await agreed(clerk, phone, TAX)
        refused = await clerk.send(f"/cases/{case}/pull")
        assert (refused.status, "回执没有通过核对" in refused.text) == (502, True)
        told = await clerk.json(f"/cases/{case}")
        assert (told["case"]["stage"], told["cards"], told["receipts"]) == ("agreed", [], [])


@pytest.fixture(scope="module")
def late_departments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LateFleet]:
    with LateFleet.start(tmp_path_factory.mktemp("late")) as fleet:
        yield fleet


async def test_late_and_denied_answers_come_to_their_own_cards(
    tmp_path: Path, fleet: Fleet, late_departments: LateFleet
) -> None:
    async with open_late_world(tmp_path, fleet, late_departments) as world:
        counter = await found(world, tmp_path / "desk", "late-desk", "LA")
        async with in_a_thread(counter):
            clerk, phone = Clerk(world.http, counter), await world.phone(XU)
            await clerk.sign_in()
            case = await agreed(clerk, phone, TAX, HOME)
            assert (await clerk.send(f"/cases/{case}/pull")).status == 303
            assert await cards(clerk, case) == {TAX: ("pending", "… 等待"), HOME: ("pending", "… 等待")}
            exchange = (await clerk.json(f"/cases/{case}"))["receipts"][0]["exchange"]
            await arrived(world, exchange)
            hand = Hand(world)
            await hand.enter()
            question = (await hand.page()).partition('<section class="panel" id="')[2].partition('"')[0]
            assert await hand.answer(question, said="denied_by_department") in (200, 303)
            await arrived(world, exchange, 2)
            assert (await clerk.send(f"/cases/{case}/collect")).status == 303
            told = await cards(clerk, case)
            assert told[TAX] == ("denied_by_department", "⊘ 不允许查")
            assert told[HOME] == ("found", "✓ 查到了")
            receipts = (await clerk.json(f"/cases/{case}"))["receipts"]
            assert [one["exchange"] for one in receipts] == [exchange, exchange]


async def test_without_a_broker_the_desk_says_so(town: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    alone = await found(town, tmp_path_factory.mktemp("alone") / "d", "alone", "AL")
    alone.change(broker="http://127.0.0.1:9")
    async with in_a_thread(alone):
        clerk = Clerk(town.http, alone)
        await clerk.sign_in()
        for path in ("/cases", "/new"):
            answered = await clerk.get(path)
            assert (answered.status, "暂时连不上便利桥" in answered.text) == (503, True)
