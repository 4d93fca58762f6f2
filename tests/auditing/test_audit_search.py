"""An auditor's search over HTTP: whom one looks for shows nowhere, pages lead on, and all of it is in the log."""

import csv
import io
import json
from typing import Any

import pytest

from audit.events import EVENTS
from broker.pages.rendering import _templates
from connectors.departments.people import FIRM, XU, made_up
from tests.auditing.case import CASE, REASON, Case
from tests.staff.desk import sit_down
from tests.world import OPERATOR, letters

pytestmark = pytest.mark.asyncio(loop_scope="package")

HE = made_up("何某", "19770708", 778)
PAGE = {"Accept": "text/html"}


async def person(case: Case, **fields: str) -> str:
    """The address that the search for Xu leads to."""
    sent = {"id_number": XU.id_number, "reason": REASON} | fields
    seen = await case.desk.post("/audit/search", sent)
    assert seen.status == 303, seen.text
    return seen.headers["Location"]


async def test_a_person_is_found_by_number_and_the_number_is_nowhere(case: Case) -> None:
    address = await person(case, event="exchange.released")
    assert XU.id_number not in address
    found = await case.desk.json(address)
    [one] = found["entries"]
    assert (one["event"], one["case"], one["desk"]) == ("exchange.released", CASE, OPERATOR["desk"])
    assert one["people"][0] not in address
    look = case.looks("search")[-1]
    assert (look["number"], look["reason"], look["entries"]) == ("a-001", REASON, 1)
    assert look["filters"] == {"event": "exchange.released"}
    assert look["subject_ref"] == one["people"][0], "the look is itself found under her"
    logged = json.dumps(case.world.entries(), ensure_ascii=False)
    assert XU.id_number not in logged
    assert address.rpartition("who=")[2] not in logged
    assert XU.id_number not in case.world.log.getvalue()


async def test_what_was_found_is_this_sessions_alone(case: Case) -> None:
    address = await person(case)
    assert (await case.desk.get(address, **PAGE)).status == 200
    other = await sit_down(case.world, "a-002")
    assert (await other.get(address, **PAGE)).status == 404
    assert (await other.json(address))["code"] == "not_found"
    await case.desk.post("/staff/sign-out")
    case.desk = await sit_down(case.world, "a-001")
    assert (await case.desk.get(address, **PAGE)).status == 404
    assert ("/audit/search", "not_found") in case.refusals()


async def test_a_reason_is_needed_and_a_search_in_vain_is_recorded(case: Case) -> None:
    before = len(case.looks("search"))
    for fields in ({"reason": ""}, {"reason": "查"}, {"reason": XU.id_number}, {"id_number": "1"}, {"uscc": FIRM.uscc}):
        seen = await case.desk.post("/audit/search", {"id_number": XU.id_number, "reason": REASON} | fields)
        assert seen.status == 422, fields
        assert XU.id_number not in seen.text
    assert len(case.looks("search")) == before
    assert (await case.desk.post("/audit/search", {"id_number": HE.id_number, "reason": REASON})).status == 404
    assert (await case.desk.post("/audit/search", {"uscc": FIRM.uscc, "reason": REASON})).status == 404
    assert [one["filters"] for one in case.looks("search")[before:]] == [{"person": "unknown"}] * 2


async def test_by_every_word_and_in_three_forms(case: Case) -> None:
    release = case.entries("exchange.released")[0]
    month = release["time"][:7]
    for query in (
        "requester=yz-hpf",
        f"operator={OPERATOR['id']}",
        f"requester=yz-hpf&desk={OPERATOR['desk']}",
        "item=deed_tax",
        "matter=purchase_withdrawal",
        f"case={CASE}",
        "event=exchange.released",
        f"month={month}&event=exchange.released",
        f"from={month}-01&event=exchange.released",
    ):
        found = [one["index"] for one in (await case.desk.json(f"/audit/search?{query}"))["entries"]]
        assert release["index"] in found, query
        assert found == sorted(found, reverse=True)
    for query in (
        "desk=x&requester=yz-hpf",
        "until=2001-01-01",
        "month=2001-01",
        "operator=nobody",
        "item=credit_report",
    ):
        assert (await case.desk.json(f"/audit/search?{query}"))["entries"] == [], query
    page = await case.desk.get(f"/audit/search?case={CASE}", **PAGE)
    assert f"/audit/calls/{release['index']}" in page.text
    text = (await case.desk.get(f"/audit/search?case={CASE}&form=csv")).text
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert {row["case"] for row in rows} == {CASE}


async def test_pages_lead_on_and_a_changed_cursor_is_refused(case: Case) -> None:
    address = "/audit/search?requester=yz-hpf"
    whole = [one["index"] for one in (await case.desk.json(address))["entries"]]
    first = await case.desk.json(f"{address}&limit=3")
    second = await case.desk.json(f"{address}&limit=3&cursor={first['next']}")
    assert [one["index"] for one in (*first["entries"], *second["entries"])] == whole[:6]
    mark = first["next"]
    changed = [mark[:at] + ("A" if mark[at] != "A" else "B") + mark[at + 1 :] for at in range(len(mark))]
    for text in (*changed, mark[:-1], f"{mark}A", mark.partition(".")[0], "0 OR 1=1", "."):
        told = await case.desk.json(f"{address}&limit=3&cursor={text}")
        assert (told["_status"], told["code"]) == (422, "invalid_request"), text
    other = await case.desk.json(f"/audit/search?requester=bj-hpf&cursor={mark}")
    assert other["code"] == "invalid_request", "it is another search's"
    assert case.refusals().count(("/audit/search", "invalid_request")) > len(changed)


@pytest.mark.parametrize(
    "query",
    [
        "case=" + "9" * 70,
        f"case={XU.id_number}",
        "operator=" + "x" * 4000,
        "event=exchange",
        "month=November",
        "month=2026-11&from=2026-11-01",
        "from=2026-02-30",
        "until=9999-12-31",
        "limit=0",
        "limit=201",
        "limit=%D9%A3",
        "desk=3",
        "column=1",
        "case=%00",
    ],
)
async def test_what_is_no_search_is_refused_plainly_and_recorded(case: Case, query: str) -> None:
    before = len(case.refusals())
    seen = await case.desk.get(f"/audit/search?{query}", **PAGE)
    assert seen.status == 422
    assert "有一项没有填对" in seen.text
    assert XU.id_number not in seen.text
    assert case.refusals()[before:] == [("/audit/search", "invalid_request")]


async def test_no_cell_is_a_formula(case: Case) -> None:
    centre, name = await case.world.centre("formulas"), f"=HYPERLINK({letters()[:8]})"
    await case.world.ask(centre, XU, operator={"id": "clerk-08", "name": "x", "desk": name})
    text = (await case.desk.get("/audit/search?requester=formulas&form=csv")).text
    assert f"'{name}" in text
    assert f",{name}" not in text


async def test_every_event_has_its_words(case: Case) -> None:
    module: Any = (
        _templates()
        .get_template("audit_words.html")
        .make_module({"say": lambda chinese, english: (chinese, english), "here": str, "query": ""})
    )
    assert set(module.events) == set(EVENTS)
