"""The auditors' inbox: what people ask, by the day it is due; reading one is recorded, and an answer is for good."""

import json
from typing import Any

import pytest

from tests.auditing.case import Case

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAGE = {"Accept": "text/html"}
TEXT = "为什么查我？\n<script>alert(1)</script>"
ANSWER = "您 11 月在窗口办提取时同意过。"


async def asked(case: Case, **members: Any) -> str:
    """A question about the release, or with an item a correction; its number."""
    kind = "corrections" if members else "questions"
    about = case.entries("exchange.released")[0]["index"]
    text = f"{TEXT} {len(case.world.entries())}"
    reply = await case.phone.post(f"/v1/me/{kind}", {"about": about, "text": text} | members)
    assert reply.status == 201, reply.members
    return str(reply.members["number"])


async def test_by_due_date_and_without_their_words(case: Case) -> None:
    correction, question = await asked(case, item="deed_tax"), await asked(case)
    told = await case.desk.json("/audit/inquiries")
    assert [one["due_on"] for one in told["inquiries"]] == sorted(one["due_on"] for one in told["inquiries"])
    by_number = {one["number"]: one for one in told["inquiries"]}
    assert (by_number[question]["kind"], by_number[correction]["department"]) == ("question", "taxation")
    assert "为什么查我" not in json.dumps(told, ensure_ascii=False)
    page = await case.desk.get("/audit/inquiries", **PAGE)
    assert f"/audit/inquiries/{question}" in page.text
    assert "为什么查我" not in page.text
    assert "taxation" in (await case.desk.get("/audit/inquiries?form=csv")).text
    assert case.looks("inquiries")[-1]["entries"] == len(told["inquiries"])


async def test_reading_one_is_recorded_under_her_and_an_answer_is_for_good(case: Case) -> None:
    number = await asked(case)
    page = await case.desk.get(f"/audit/inquiries/{number}", **PAGE)
    assert "为什么查我" in page.text
    assert "<script>alert" not in page.text
    look = case.looks("inquiry")[-1]
    assert look["filters"] == {"number": number}
    assert look["subject_ref"] == case.entries("consent.granted")[0]["body"]["subject_ref"]
    for text in ("", " ", "x" * 4001, "\u202eturned"):
        refused = await case.desk.post(f"/audit/inquiries/{number}", {"text": text})
        assert refused.status == 422
        assert "什么也没有保存" in refused.text
    assert (await case.desk.post(f"/audit/inquiries/{number}", {"text": ANSWER})).status == 303
    assert case.looks("answer")[-1]["filters"] == {"number": number}
    assert case.entries("question.answered")[-1]["body"]["number"] == number
    assert (await case.desk.post(f"/audit/inquiries/{number}", {"text": "又一次"})).status == 409
    [mine] = [one for one in (await case.phone.get("/v1/me/questions")).members["questions"] if one["number"] == number]
    assert mine["answer"] == ANSWER
    logged = json.dumps(case.world.entries(), ensure_ascii=False)
    assert ANSWER not in logged
    assert number not in {one["number"] for one in (await case.desk.json("/audit/inquiries"))["inquiries"]}


async def test_a_correction_is_the_departments_to_answer(case: Case) -> None:
    number = await asked(case, item="deed_tax")
    page = await case.desk.get(f"/audit/inquiries/{number}", **PAGE)
    assert "这条由部门答复" in page.text
    assert (await case.desk.post(f"/audit/inquiries/{number}", {"text": ANSWER})).status == 403
    assert case.refusals()[-1] == ("/audit/inquiries/{number}", "forbidden")


@pytest.mark.parametrize("number", ["WT-0000-0000", "nothing", "%E7%94%B2"])
async def test_what_nobody_asked_is_not_found(case: Case, number: str) -> None:
    assert (await case.desk.get(f"/audit/inquiries/{number}", **PAGE)).status == 404
    assert (await case.desk.post(f"/audit/inquiries/{number}", {"text": ANSWER})).status == 404
