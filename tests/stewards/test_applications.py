"""Applications with the clocks of the law, and agreements with their last day."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.cli import app
from broker.deadlines import Deadlines
from broker.founding import CONFIGURATION, found_broker
from broker.moments import BEIJING
from broker.settings import read_settings
from policies.strict_yaml import ConfigurationError
from policies.workdays import SHIPPED_WORKDAYS, read_workdays
from tests.stewards.conftest import ITEM, Town

pytestmark = pytest.mark.asyncio(loop_scope="package")

WHOLE = {
    "requester": "yz-hpf",
    "item": ITEM,
    "fields": ["paid_amount", "transfer_area"],
    "basis": "住房公积金管理条例第二十四条",
    "scenario": "购房提取核对契税",
    "scope": "本中心提取岗位",
    "way": "接口核对",
    "time": "一年",
}
CALENDAR = read_workdays(SHIPPED_WORKDAYS)


def workdays_after(day: date, number: int) -> date:
    return CALENDAR.after(day, number)


def today(town: Town) -> date:
    return datetime.fromtimestamp(town.world.clock() / 1_000_000, BEIJING).date()


def command(town: Town, *words: str, given: Any = None) -> Result:
    config = str(town.world.folder / "broker" / CONFIGURATION)
    stdin = json.dumps(given) if given is not None else None
    return CliRunner().invoke(app, ["applications", *words, "--config", config, "--json"], input=stdin)


def filed(town: Town, *words: str, **changed: Any) -> str:
    result = command(town, "file", *words, given=WHOLE | changed)
    assert result.exit_code == 0, result.output
    return str(json.loads(result.stdout)["number"])


async def one(town: Town, number: str) -> dict[str, Any]:
    told = await town.tax.json(f"/steward/applications/{number}")
    return dict(told["one"])


async def step(town: Town, number: str, name: str, **fields: str) -> int:
    return (await town.tax.post(f"/steward/applications/{number}/{name}", fields)).status


async def test_from_the_command_line_to_supplied_under_two_clocks(town: Town) -> None:
    number = filed(town)
    told = await one(town, number)
    assert (told["status"], told["missing"], told["sharing"]) == ("filed", [], "conditional")
    assert told["due_on"] == workdays_after(today(town), 10).isoformat()
    assert await step(town, number, "supply") == 409, "not before it is granted"
    assert await step(town, number, "prolong", consent="扬数局函〔2026〕7号") == 303
    assert (await one(town, number))["due_on"] == workdays_after(workdays_after(today(town), 10), 10).isoformat()
    assert await step(town, number, "prolong", consent="again") == 409
    assert await step(town, number, "grant") == 303
    assert (await one(town, number))["due_on"] == workdays_after(today(town), 20).isoformat()
    assert await step(town, number, "refuse", reason="too late") == 409
    assert await step(town, number, "supply") == 303
    told = await one(town, number)
    assert (told["status"], told["due_on"], told["overdue"]) == ("supplied", "", False)
    steps = [entry for entry in town.world.entries() if entry["body"].get("number") == number]
    assert [entry["event"] for entry in steps] == [
        f"application.{word}" for word in ("filed", "prolonged", "granted", "supplied")
    ]
    assert [entry["body"]["by"] for entry in steps] == ["", "d-001", "d-001", "d-001"]
    assert json.loads(command(town, "show", number).stdout)["status"] == "supplied"


async def test_what_is_missing_is_told_once_and_never_refused_outright(town: Town) -> None:
    number = filed(town, basis="", fields=[])
    assert (await one(town, number))["missing"] == ["basis", "fields"]
    assert await step(town, number, "refuse", reason="没有依据") == 403
    assert await step(town, number, "return", words="依据、字段") == 303
    told = await one(town, number)
    assert (told["status"], told["due_on"], told["told"]) == ("returned", "", "依据、字段")
    assert await step(town, number, "grant") == 409, "the clock stands"
    assert json.loads(command(town, "show", number).stdout)["told"] == "依据、字段", "the applicant reads it"
    assert command(town, "complete", number, given=WHOLE | {"item": "vat_invoice"}).exit_code == 4
    assert command(town, "complete", number, given=WHOLE).exit_code == 0
    told = await one(town, number)
    assert (told["status"], told["missing"]) == ("filed", [])
    assert told["due_on"] == workdays_after(today(town), 10).isoformat()
    assert await step(town, number, "return", words="还缺") == 409, "once"
    assert await step(town, number, "refuse", reason="用途与职责不符") == 303
    assert (await one(town, number))["reason"] == "用途与职责不符"


async def test_on_paper_for_an_item_that_there_is_not_yet(town: Town) -> None:
    paper = {name: value for name, value in WHOLE.items() if isinstance(value, str)} | {"item": "stamp_duty"}
    seen = await town.tax.post("/steward/applications", paper | {"fields": "amount paid_date"})
    assert seen.status == 303
    told = await one(town, seen.headers["Location"].rpartition("/")[2])
    assert (told["item"], told["fields"], told["department"]) == ("stamp_duty", ["amount", "paid_date"], "taxation")
    assert town.logged("application.filed")[-1]["by"] == "d-001"
    assert (await town.tax.post("/steward/applications", paper | {"item": "marriage_check_single"})).status == 422
    assert command(town, "file", given=WHOLE | {"item": "stamp_duty"}).exit_code == 4, "whose is it?"
    filed(town, "--department", "taxation", item="stamp_duty")


async def test_bad_applications_are_refused(town: Town) -> None:
    number = town.phone.person.id_number
    for wrong in (
        {"requester": "nobody"},
        {"basis": f"查 {number}"},
        {"basis": "x" * 1001},
        {"item": number},
        {"item": ""},
        {"fields": [7]},
        {"why": "x"},
        {"time": 1},
    ):
        result = command(town, "file", given=WHOLE | wrong)
        assert result.exit_code == 4, wrong
        assert number not in result.output
    assert number not in str(town.world.entries())


async def test_another_department_sees_and_answers_none_of_mine(town: Town) -> None:
    number = filed(town)
    assert number not in str(await town.civil.json("/steward/applications"))
    assert (await town.civil.get(f"/steward/applications/{number}", Accept="text/html")).status == 403
    for name in ("grant", "supply"):
        assert (await town.civil.post(f"/steward/applications/{number}/{name}")).status == 403
    assert (await one(town, number))["status"] == "filed"


async def test_unconditional_items_are_answered_in_a_day(town: Town) -> None:
    item = next(i for i in town.world.broker.catalogue.items.values() if i.sharing == "unconditional")
    number = filed(town, item=item.id, fields=[next(iter(item.fields))])
    told = next(o for o in json.loads(command(town, "list").stdout)["applications"] if o["number"] == number)
    assert (told["sharing"], told["department"]) == ("unconditional", item.department)
    assert told["due_on"] == workdays_after(today(town), 1).isoformat()


async def test_agreements_have_a_last_day_and_may_end_before(town: Town) -> None:
    fields = {"requester": "yz-hpf", f"item.{ITEM}": "yes", "from": "2026-01-01", "until": "2099-12-31"}
    given = fields | {"reference": "扬税协〔2026〕3号"}
    assert (await town.tax.post("/steward/agreements", given)).status == 303
    for wrong in ({"until": "2025-12-31"}, {"from": "soon"}, {"reference": ""}, {"requester": "nobody"}):
        assert (await town.tax.post("/steward/agreements", given | wrong)).status == 422, wrong
    foreign = {name: value for name, value in given.items() if not name.startswith("item.")}
    foreign |= {"item.marriage_check_single": "yes"}
    assert (await town.tax.post("/steward/agreements", foreign)).status == 422, "none of mine is ticked"
    told = (await town.tax.json("/steward/agreements"))["agreements"][-1]
    assert (told["items"], told["until"], told["state"]) == ([ITEM], "2099-12-31", "in_force")
    item = (await town.tax.json(f"/steward/items/{ITEM}"))["one"]
    assert told["number"] in {made["number"] for made in item["agreements"]}
    assert told["number"] not in str(await town.civil.json("/steward/agreements"))
    assert (await town.civil.post(f"/steward/agreements/{told['number']}/end")).status == 404
    assert (await town.tax.post(f"/steward/agreements/{told['number']}/end")).status == 303
    assert (await town.tax.post(f"/steward/agreements/{told['number']}/end")).status == 409
    ended = next(
        one for one in (await town.tax.json("/steward/agreements"))["agreements"] if one["number"] == told["number"]
    )
    assert ended["state"] == "ended"
    assert [town.logged(f"agreement.{event}")[-1]["by"] for event in ("made", "ended")] == ["d-001", "d-001"]


async def test_the_clocks_are_settings(tmp_path: Path) -> None:
    found_broker(tmp_path, issuer="http://127.0.0.1:8400")
    file = tmp_path / CONFIGURATION
    plain = file.read_text(encoding="utf-8")
    file.write_text(plain + "\ndeadlines: {conditional_workdays: 5, supply_workdays: 7}\n", encoding="utf-8")
    deadlines = read_settings(file).deadlines
    assert deadlines == Deadlines(15, 10, CALENDAR, conditional_workdays=5, supply_workdays=7)
    monday = datetime(2026, 11, 30, 12, tzinfo=BEIJING).timestamp()
    assert deadlines.reply(monday, unconditional=False) == "2026-12-07"
    assert deadlines.reply(monday, unconditional=True) == "2026-12-01"
    assert deadlines.supply(monday) == "2026-12-09"
    assert deadlines.prolonged("2026-12-07") == "2026-12-21"
    file.write_text(plain + "\ndeadlines: {supply_workdays: 0}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        read_settings(file)
