"""No bytes at all crash the reader, or are anything but one of the closed outcomes."""

import json
from typing import Final

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Question
from connectors.departments.people import XU
from connectors.enforcement import within_contract
from connectors.reading import SAYABLE, AnswerForm, read_reply
from connectors.records import RecordForm, answer
from connectors.trouble import DepartmentError
from connectors.values import Column
from policies.vocabulary import VERIFY_ANSWERS, Outcome
from tests.connectors.asking import question
from tests.connectors.test_reading import IN_STRING, JSON, NOW, XML

QUERY: Final = question("deed_tax", ("paid_amount", "paid_date", "location"))
CHECK: Final = question("marriage_check_single", ("marital_status",), expect={"marital_status": "20"})
RECORDS: Final = {
    "deed_tax": RecordForm(
        person="zjh",
        fields={
            "paid_amount": Column("je", "yuan"),
            "paid_date": Column("rq", "date"),
            "location": Column("zl", "narrow", optional=True),
        },
        person_name="xm",
        key=("je", "rq"),
        newest_by="sj",
    ),
    "marriage_check_single": RecordForm(person="zjh", fields={"marital_status": Column("zt", "code")}),
}
FORMS: Final = (
    JSON,
    IN_STRING,
    XML,
    msgspec.structs.replace(JSON, charset="utf-8-or-gb18030", stuck="list", list_at=""),
    msgspec.structs.replace(IN_STRING, stuck="last"),
)
ANSWER: Final = {
    "zjh": XU.id_number,
    "xm": XU.name,
    "je": "12.50",
    "rq": "2026-10-18",
    "sj": "20261018120000",
    "zt": "20",
}
HONEST: Final = (
    (JSON, json.dumps({"code": "00", "data": {"list": [ANSWER, ANSWER], "total": 2}}).encode()),
    (JSON, json.dumps({"code": "00", "data": {"list": [ANSWER]}, "time": "2026-10-18"}, ensure_ascii=False).encode()),
    (IN_STRING, json.dumps({"code": 0, "data": json.dumps([ANSWER])}).encode()),
    (
        XML,
        (
            "<P><HEAD><CODE>0000</CODE></HEAD><DATA><RECORD no='1'>"
            + "".join(f"<{name}>{value}</{name}>" for name, value in ANSWER.items())
            + "</RECORD></DATA></P>"
        ).encode(),
    ),
)
PIECES: Final = (
    b"",
    b"{",
    b"}",
    b"[]",
    b'"',
    b"null",
    b"1e99",
    b"<",
    b"&x;",
    b"\\u0000",
    b"\xb9\xfa",
    b"-",
    b"0" * 40,
    b",",
)


def whatever_is_read(form: AnswerForm, body: bytes) -> list[Outcome]:
    """Through reading, translating and comparing, as a connector does it: answers, or refusals in closed words."""
    return [_outcome(form, body, asked) for asked in (QUERY, CHECK)]


def _outcome(form: AnswerForm, body: bytes, asked: Question) -> Outcome:
    try:
        answered = answer(RECORDS[asked.item.id], asked, "r", read_reply(form, body, NOW))
    except DepartmentError as error:
        return error.outcome
    kept = within_contract(answered, "r", asked, NOW)
    assert (kept.outcome, kept.records) == (answered.outcome, answered.records), kept.raw_code
    return kept.outcome


POSSIBLE: Final = SAYABLE | {Outcome.FOUND} | VERIFY_ANSWERS


def test_the_honest_answers_are_read() -> None:
    for form, body in HONEST:
        found, checked = whatever_is_read(form, body)
        assert found is Outcome.FOUND
        assert checked in {Outcome.MATCH, Outcome.NOT_DECIDABLE}


@given(st.binary(max_size=300))
def test_no_bytes_at_all_are_anything_but_an_outcome(body: bytes) -> None:
    for form in FORMS:
        assert set(whatever_is_read(form, body)) <= POSSIBLE


@given(st.data())
def test_no_answer_bent_in_any_place_is_anything_but_an_outcome(data: st.DataObject) -> None:
    form, honest = data.draw(st.sampled_from(HONEST))
    body = bytearray(honest)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        how = data.draw(st.sampled_from(["cut", "drop", "put", "twice"]))
        piece = data.draw(st.sampled_from(PIECES))
        end = min(len(body), at + data.draw(st.integers(1, 9)))
        body[at:end] = {"cut": b"", "drop": body[at:end][1:], "put": piece, "twice": body[at:end] * 2}[how]
    assert set(whatever_is_read(form, bytes(body))) <= POSSIBLE
