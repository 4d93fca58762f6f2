"""Whose records they are, which of them count, and which one is the newest."""

from typing import Any, Final

import pytest

from connectors.departments.people import LIN, OLD_FORM, XU
from connectors.identity import same_name
from connectors.records import RecordForm, Reply, answer
from connectors.trouble import DepartmentError
from connectors.values import Column
from policies.vocabulary import Outcome, Person
from tests.connectors.asking import question
from tests.connectors.test_limits import NOON

FORM: Final = RecordForm(
    person="zjh", fields={"paid_amount": Column("je", "yuan")}, person_name="xm", key=("bh",), newest_by=""
)
ROW: Final = {"zjh": XU.id_number, "xm": XU.name, "je": "1.00", "bh": "7"}


def read(*rows: dict[str, Any], person: Person = XU, form: RecordForm = FORM) -> list[int] | str:
    asked = question("deed_tax", ("paid_amount",), subject=person)
    try:
        answered = answer(form, asked, "r", Reply(rows, NOON))
    except DepartmentError as error:
        return error.code
    assert answered.outcome is (Outcome.FOUND if answered.records else Outcome.NO_RECORD)
    return [int(str(record["paid_amount"])) for record in answered.records]


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        ROW | {"xm": " 徐 建国\u3000"},
        ROW | {"zjh": XU.id_number.lower()},
        ROW | {"zjh": f" {XU.id_number}\r\n"},
    ],
)
def test_the_asked_number_in_any_spelling(row: dict[str, Any]) -> None:
    assert read(row) == [100]


@pytest.mark.parametrize(
    "row",
    [
        ROW | {"xm": LIN.name},
        ROW | {"xm": "徐*国"},
        ROW | {"xm": ""},
        ROW | {"xm": None},
        ROW | {"zjh": LIN.id_number},
        ROW | {"zjh": XU.id_number[:17] + "0"},
        {name: value for name, value in ROW.items() if name != "xm"},
        {name: value for name, value in ROW.items() if name != "zjh"},
    ],
)
def test_anybody_else_s_record_spoils_the_whole_answer(row: dict[str, Any]) -> None:
    assert read(row) == "wrong_person"
    assert read(ROW, row | {"bh": "8"}) == "wrong_person"


def test_fifteen_digits_are_the_same_person() -> None:
    short = OLD_FORM.id_number[:6] + OLD_FORM.id_number[8:17]
    assert read(ROW | {"zjh": short, "xm": OLD_FORM.name}, person=OLD_FORM) == [100]
    assert read(ROW | {"zjh": OLD_FORM.id_number, "xm": OLD_FORM.name}, person=Person(OLD_FORM.name, short)) == [100]


@pytest.mark.parametrize("dot", "·•‧∙・．・")
def test_the_dot_in_a_name_is_one_dot(dot: str) -> None:
    assert same_name(f"阿依古丽{dot}买买提", "阿依古丽·买买提")
    assert not same_name("阿依古丽买买提", "阿依古丽·买买提")


def test_a_record_sent_twice_counts_once_and_two_that_contradict_are_no_answer() -> None:
    assert read(ROW, ROW, ROW | {"bh": "8", "je": "2"}) == [100, 200]
    assert read(ROW | {"@no": "1"}, ROW | {"@no": "2"}) == [100]
    assert read(ROW, ROW | {"je": "2.00"}) == "contradicting_records"
    assert read({name: value for name, value in ROW.items() if name != "bh"}) == "member_missing"
    every = RecordForm(person="zjh", fields=FORM.fields)
    assert read(ROW, ROW, form=every) == [100, 100], "without a key two equal records may be two homes"


def test_the_newest_of_several_unsorted_records() -> None:
    newest = RecordForm(person="zjh", fields=FORM.fields, key=("bh",), newest_by="sj")
    rows = [ROW | {"bh": str(n), "je": str(n), "sj": f"2026-1{n % 2}-0{n} 10:00:00"} for n in (2, 5, 3, 4)]
    assert read(*rows, form=newest) == [500]
    assert read(*rows, rows[1], form=newest) == [500], "the newest, sent twice"
    assert read(*rows, rows[1] | {"bh": "6"}, form=newest) == "two_newest_records"
    assert read(rows[0], {**rows[1], "sj": "soon"}, form=newest) == "date"
