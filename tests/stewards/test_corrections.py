"""Corrections to a department: listed by the day they are due, read one by one and recorded, answered once."""

from typing import Any

import pytest

from tests.stewards.conftest import ITEM, Town

pytestmark = pytest.mark.asyncio(loop_scope="package")

TEXT = "我没有这套房子。\n<b>诸葛不该出现</b>"


async def corrected(town: Town, text: str = TEXT) -> str:
    """A correction of what the tax office said; its number."""
    assert (await town.pull(await town.consent())).status == 200
    about = next(entry["index"] for entry in town.world.entries()[::-1] if entry["event"] == "exchange.released")
    reply = await town.phone.post("/v1/me/corrections", {"about": about, "item": ITEM, "text": text})
    assert reply.status == 201, reply.members
    return str(reply.members["number"])


async def listed(town: Town) -> dict[str, Any]:
    told = await town.tax.json("/steward/corrections")
    return {one["number"]: one for one in told["corrections"]}


async def test_read_and_answered_once_and_the_person_reads_it(town: Town) -> None:
    number = await corrected(town)
    one = (await listed(town))[number]
    assert (one["status"], one["item"], one["overdue"]) == ("open", ITEM, False)
    assert "诸葛" not in str(await listed(town)), "what she wrote is for whoever opens it"
    assert "诸葛" not in (await town.tax.get("/steward/corrections", Accept="text/html")).text
    looked = len(town.logged("staff.looked"))
    page = (await town.tax.get(f"/steward/corrections/{number}", Accept="text/html")).text
    assert "&lt;b&gt;诸葛不该出现&lt;/b&gt;" in page
    look = town.logged("staff.looked")[looked:]
    assert [(one["what"], one["filters"]["number"], one["number"]) for one in look] == [("correction", number, "d-001")]
    assert look[0]["subject_ref"]
    told = (await town.tax.json(f"/steward/corrections/{number}"))["one"]
    released = next(body for body in town.logged("exchange.released")[::-1] if body["call"] == told["call"])
    asked = next(one for one in released["results"] if one["item"] == ITEM)
    assert (told["route"], told["department_request"]) == (asked["route"], asked["department_request"])
    answer = {"text": "已经核对，改好了。"}
    assert (await town.tax.post(f"/steward/corrections/{number}/answer", {"text": " "})).status == 422
    assert (await town.tax.post(f"/steward/corrections/{number}/answer", answer)).status == 303
    assert (await town.tax.post(f"/steward/corrections/{number}/answer", answer)).status == 409
    assert (await listed(town))[number]["status"] == "answered"
    answered = town.logged("correction.answered")[-1]
    assert (answered["number"], answered["by"], answered["department"]) == (number, "d-001", "taxation")
    hers = (await town.phone.get("/v1/me/corrections")).members["corrections"]
    assert next(one["answer"] for one in hers if one["number"] == number) == answer["text"]


async def test_the_first_due_comes_first_and_what_is_late_is_said(town: Town) -> None:
    numbers = [await corrected(town, f"第{order}次") for order in range(2)]
    open_ones = [number for number, one in (await listed(town)).items() if one["status"] == "open"]
    assert [number for number in open_ones if number in numbers] == sorted(numbers), "on one day by number"
    day = await town.tax.json("/steward/uses/day")
    assert day["waiting"]["corrections"] >= 2


async def test_another_department_sees_and_answers_none_of_mine(town: Town) -> None:
    number = await corrected(town, "再来一次")
    assert number not in str(await town.civil.json("/steward/corrections"))
    assert (await town.civil.get(f"/steward/corrections/{number}", Accept="text/html")).status == 403
    assert (await town.civil.post(f"/steward/corrections/{number}/answer", {"text": "x"})).status == 403
    assert (await listed(town))[number]["status"] == "open"
    assert town.logged("staff.refused")[-1]["address"] == "/steward/corrections/{number}/answer"


async def test_a_question_to_the_auditors_is_none_of_hers(town: Town) -> None:
    assert (await town.pull(await town.consent())).status == 200
    about = town.world.entries()[-1]["index"]
    asked = await town.phone.post("/v1/me/questions", {"about": about, "text": "为什么查我？"})
    number = asked.members["number"]
    assert (await town.tax.get(f"/steward/corrections/{number}", Accept="text/html")).status == 404
    assert (await town.tax.post(f"/steward/corrections/{number}/answer", {"text": "x"})).status == 404
