"""Who used my data: counts that add up, the calls behind them with their consents, a day at a glance, what is odd."""

import csv
import hashlib
import io
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from broker.moments import BEIJING
from broker.stewards.periods import span_of_month
from connectors.departments.fleet import Fleet
from tests.stewards.conftest import ITEM, Town
from tests.stewards.planted import look, put

pytestmark = pytest.mark.asyncio(loop_scope="package")


def today(town: Town) -> str:
    return datetime.fromtimestamp(town.world.clock() / 1_000_000, BEIJING).date().isoformat()


async def uses(town: Town, query: str = "") -> list[dict[str, Any]]:
    told = await town.tax.json(f"/steward/uses{query}")
    assert told["_status"] == 200, told
    return list(told["uses"])


async def calls(town: Town, **filters: str) -> dict[str, Any]:
    return await town.tax.json("/steward/uses/calls?" + urlencode({"item": ITEM} | filters))


async def test_counts_add_up_and_lead_to_calls_with_their_consents(town: Town, fleet: Fleet) -> None:
    before = sum(use["asked"] for use in await uses(town))
    consent = await town.consent(case="YZ-2026-USES")
    fields = [{"party": "applicant", "item": ITEM, "fields": ["paid_amount"]}]
    assert (await town.pull(consent, case="YZ-2026-USES", items=fields)).status == 200
    fleet.set_fault("tax", "500")
    assert (await town.pull(consent, case="YZ-2026-USES", items=fields)).status == 200
    fleet.set_fault("tax", "none")
    told_uses = await uses(town)
    assert sum(use["asked"] for use in told_uses) == before + 2
    assert {use["item"] for use in told_uses} == {ITEM}, "of my department alone"
    (use,) = [use for use in told_uses if use["requester"] == "yz-hpf"]
    assert use["given"] >= 1
    assert use["failed"] >= 1
    told = await calls(town, requester="yz-hpf", matter="purchase_withdrawal")
    mine = [one for one in told["calls"] if one["case"] == "YZ-2026-USES"]
    assert [one["outcome"] for one in mine][1] == "found"
    assert len(mine) == 2
    newest = mine[0]
    assert (newest["operator"], newest["desk"], newest["fields"]) == ("clerk-07", "3号窗口", ["paid_amount"])
    assert newest["purpose"]
    (behind,) = newest["consents"]
    assert behind["sha256"] == hashlib.sha256(consent.encode()).hexdigest()
    signed = town.world.entries()[behind["entry"]]
    assert (signed["event"], signed["body"]["token_sha256"]) == ("consent.granted", behind["sha256"])
    assert [one for one in (await calls(town, requester="bj-hpf"))["calls"] if one["case"] == "YZ-2026-USES"] == []


async def test_every_look_into_calls_is_recorded_and_counting_is_none(town: Town) -> None:
    before = len(town.logged("staff.looked"))
    await uses(town)
    assert len(town.logged("staff.looked")) == before
    told = await calls(town, day=today(town))
    looked = town.logged("staff.looked")
    assert len(looked) == before + 1
    assert (looked[-1]["number"], looked[-1]["what"], looked[-1]["entries"]) == ("d-001", "calls", len(told["calls"]))
    assert looked[-1]["filters"] == {"department": "taxation", "item": ITEM, "day": today(town)}


async def test_pages_lead_on_and_a_tampered_cursor_leads_nowhere(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    consent = await town.consent(case="YZ-2026-PAGES")
    for _ in range(3):
        assert (await town.pull(consent, case="YZ-2026-PAGES")).status == 200
    monkeypatch.setattr("broker.stewards.calls.AT_ONCE", 2)
    first = await calls(town)
    second = await calls(town, cursor=first["next"])
    entries = [one["entry"] for one in (*first["calls"], *second["calls"])]
    assert entries == sorted(entries, reverse=True)
    assert len(set(entries)) == len(entries) == 4
    for cursor in ("x", first["next"][:-1] + "!", "A" * 400):
        assert (await calls(town, cursor=cursor))["_status"] == 422, cursor


async def test_bad_filters_are_refused_and_never_logged(town: Town) -> None:
    number = town.phone.person.id_number
    for query in (
        {"month": "2026-13"},
        {"month": number},
        {"day": "2026-02-30"},
        {"requester": number},
        {"matter": "x" * 3000},
    ):
        assert (await calls(town, **query))["_status"] == 422, query
    assert (await calls(town, item=number))["_status"] == 404
    for months in ("?from=2026-01&to=2025-01", "?from=2020-01&to=2026-01", "?to=soon"):
        assert (await town.tax.json(f"/steward/uses{months}"))["_status"] == 422, months
    assert number not in str(town.world.entries())


async def test_twins_say_the_same_and_no_cell_is_a_formula(town: Town) -> None:
    case = "=SUM(A1)"
    await put(town.world, [look("yz-hpf", case=case)])
    for path in ("/steward/items", "/steward/uses", f"/steward/uses/day?day={today(town)}"):
        text = (await town.tax.get(path, Accept="text/csv")).text
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        told = await town.tax.json(path)
        listed = next(value for name, value in told.items() if name in ("items", "uses"))
        assert len(rows) >= len(listed) > 0, path
    text = (await town.tax.get(f"/steward/uses/calls?item={ITEM}", Accept="text/csv")).text
    assert f"'{case}" in text


async def test_months_are_beijings(town: Town) -> None:
    moment = datetime(2025, 3, 31, 16, 30, tzinfo=UTC)  # half past midnight on the first of April in Beijing
    since, before = (f"?from={month}&to={month}" for month in ("2025-03", "2025-04"))
    assert await uses(town, since) == await uses(town, before) == []
    march, april = span_of_month("2025-03"), span_of_month("2025-04")
    assert march[1] == april[0] <= moment.timestamp() * 1_000_000 < april[1]
