"""Every further kind against a real department of its kind, honest and with each of its bad habits."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import Answer, Question, Ticket
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import NO_HOME, UNMARRIED, XU
from connectors.departments.pushing_office import signed
from connectors.directory import Directory
from connectors.manual import ManualConnector, Typed
from connectors.push import FARTHEST, PushConnector, Pushed
from policies.vocabulary import Outcome
from tests.connectors.asking import question
from tests.connectors.late_asking import DEPARTMENT_OF, ITEM_OF, load, settled


@pytest.fixture
async def directory(late: LateFleet, tmp_path: Path) -> AsyncIterator[Directory]:
    loaded = load(late, tmp_path / "departments.yaml")
    yield loaded
    await loaded.aclose()


def asked(route: str) -> Question:
    """With a number of its own, as every asking has."""
    expect = {"marital_status": "20"} if route == "civil-affairs-soap" else None
    fresh = question(ITEM_OF[route], expect=expect)
    return replace(fresh, call=f"call-{uuid.uuid4().hex[:12].translate(str.maketrans('0123456789', 'ghijklmnop'))}.1")


HABITS = [
    ("civil-affairs-soap", "none", Outcome.MATCH, "0000"),
    ("civil-affairs-soap", "refused", Outcome.DENIED_BY_DEPARTMENT, "-20"),
    ("civil-affairs-soap", "down", Outcome.DEPARTMENT_DOWN, "fault_Server"),
    ("civil-affairs-soap", "500", Outcome.DEPARTMENT_DOWN, "http_500"),
    ("civil-affairs-soap", "hang", Outcome.TIMEOUT, "deadline"),
    ("civil-affairs-soap", "never", Outcome.TIMEOUT, "deadline"),
    ("civil-affairs-soap", "truncated", Outcome.GARBLED, "truncated"),
    ("civil-affairs-soap", "wrong_person", Outcome.GARBLED, "wrong_person"),
    ("civil-affairs-soap", "wrong_schema", Outcome.GARBLED, "wrong_person"),
    ("civil-affairs-soap", "bomb_inside", Outcome.GARBLED, "xml_dtd_or_entity"),
    ("civil-affairs-soap", "entity_inside", Outcome.GARBLED, "xml_dtd_or_entity"),
    ("civil-affairs-soap", "no_record", Outcome.NOT_DECIDABLE, "-901"),
    ("ticket-platform", "none", Outcome.FOUND, "00"),
    ("ticket-platform", "refused", Outcome.DENIED_BY_DEPARTMENT, "20"),
    ("ticket-platform", "500", Outcome.DEPARTMENT_DOWN, "http_500"),
    ("ticket-platform", "hang", Outcome.TIMEOUT, "deadline"),
    ("ticket-platform", "truncated", Outcome.GARBLED, "truncated"),
    ("ticket-platform", "wrong_person", Outcome.GARBLED, "wrong_person"),
    ("ticket-platform", "not_hers", Outcome.GARBLED, "wrong_person"),
    ("ticket-platform", "wrong_schema", Outcome.GARBLED, "ticket_missing"),
    ("ticket-platform", "no_record", Outcome.NO_RECORD, "00"),
    ("ticket-platform", "never", Outcome.PENDING, "state_2"),
    ("ticket-platform", "said_never", Outcome.TIMEOUT, "state_5"),
    ("pushing-office", "none", Outcome.PENDING, ""),
    ("pushing-office", "refused", Outcome.DENIED_BY_DEPARTMENT, "-20"),
    ("pushing-office", "wrong_schema", Outcome.GARBLED, "status_missing"),
    ("pushing-office", "500", Outcome.DEPARTMENT_DOWN, "http_500"),
    ("pushing-office", "hang", Outcome.TIMEOUT, "deadline"),
    *(
        (route, fault, outcome, code)
        for route in ("tax-files-sftp", "tax-files-folder")
        for fault, outcome, code in (
            ("none", Outcome.FOUND, "00"),
            ("refused", Outcome.DENIED_BY_DEPARTMENT, "20"),
            ("truncated", Outcome.GARBLED, "marker_disagrees"),
            ("wrong_person", Outcome.GARBLED, "wrong_person"),
            ("wrong_schema", Outcome.GARBLED, "cells"),
            ("not_hers", Outcome.GARBLED, "question_missing"),
            ("no_record", Outcome.NO_RECORD, "01"),
            ("never", Outcome.PENDING, ""),
        )
    ),
    ("tax-tables", "none", Outcome.FOUND, ""),
    ("tax-tables", "refused", Outcome.DENIED_BY_DEPARTMENT, "20"),
    ("tax-tables", "truncated", Outcome.GARBLED, "wrong_person"),
    ("tax-tables", "wrong_person", Outcome.GARBLED, "wrong_person"),
    ("tax-tables", "wrong_schema", Outcome.GARBLED, "date"),
    ("tax-tables", "not_hers", Outcome.GARBLED, ""),
    ("tax-tables", "no_record", Outcome.NO_RECORD, "01"),
    ("tax-tables", "never", Outcome.PENDING, ""),
]


@pytest.mark.parametrize(("route", "fault", "outcome", "code"), HABITS)
async def test_each_habit_has_its_outcome(
    late: LateFleet, tmp_path: Path, route: str, fault: str, outcome: Outcome, code: str
) -> None:
    patience = 0.5 if outcome is Outcome.PENDING else 5.0
    late.set_fault(DEPARTMENT_OF[route], fault)
    directory = load(late, tmp_path / "r.yaml", route, deadline=0.7 if fault in {"hang", "never"} else None)
    answer = await settled(directory, asked(route), patience)
    await directory.aclose()
    assert (answer.outcome, answer.raw_code) == (outcome, code)
    assert bool(answer.records) == (outcome is Outcome.FOUND)


@pytest.mark.parametrize("route", ["ticket-platform", "tax-files-sftp", "tax-files-folder", "tax-tables"])
async def test_only_the_asked_fields_and_another_process_can_carry_on(
    late: LateFleet, tmp_path: Path, route: str
) -> None:
    """The first directory is gone when the second looks: all that is needed stands in the ticket."""
    late.set_fault(DEPARTMENT_OF[route], "none", seconds=3)
    fields = {"real_estate_registration": ("location", "building_area"), "deed_tax": ("paid_amount", "paid_date")}
    first = load(late, tmp_path / "one.yaml", route)
    narrow = replace(asked(route), fields=fields[ITEM_OF[route]])
    answer = await first.ask(narrow)
    await first.aclose()
    assert (answer.outcome, answer.records) == (Outcome.PENDING, ())
    assert answer.ticket is not None
    assert XU.id_number not in answer.ticket.state
    second = load(late, tmp_path / "two.yaml", route)
    for _ in range(60):
        answered = await second.carry_on(narrow, answer.route, answer.ticket)
        if answered.outcome is not Outcome.PENDING:
            break
        await asyncio.sleep(0.1)
    await second.aclose()
    assert answered.outcome is Outcome.FOUND
    assert [tuple(record) for record in answered.records] == [narrow.fields]


async def test_a_department_that_is_down_when_it_is_looked_at_loses_nothing(
    late: LateFleet, directory: Directory
) -> None:
    """The directory says what is wrong at the moment; that the ticket still stands is the broker's to know."""
    answer = await directory.ask(question("real_estate_registration"))
    assert answer.ticket is not None
    late.set_fault("ticket_platform", "500")
    down = await directory.carry_on(question("real_estate_registration"), answer.route, answer.ticket)
    assert (down.outcome, down.ended) == (Outcome.DEPARTMENT_DOWN, False)
    late.set_fault("ticket_platform", "none")
    assert (await directory.carry_on(question("real_estate_registration"), answer.route, answer.ticket)).records
    late.set_fault("ticket_platform", "said_never")
    said = await directory.carry_on(question("real_estate_registration"), answer.route, answer.ticket)
    assert (said.outcome, said.ended) == (Outcome.TIMEOUT, True)


async def test_a_ticket_of_nobody(directory: Directory) -> None:
    answer = await directory.carry_on(question("real_estate_registration"), "ticket-platform", Ticket("CX0", 1, 1))
    assert answer.outcome is Outcome.BAD_REQUEST
    gone = await directory.carry_on(question("real_estate_registration"), "no-such-route", Ticket("CX0", 1, 1))
    assert (gone.outcome, gone.raw_code) == (Outcome.DEPARTMENT_DOWN, "route_removed")


async def test_a_hostile_name_stays_a_text_inside_a_text(late: LateFleet, directory: Directory) -> None:
    """Escaped once for the document and once for the envelope."""
    hostile = replace(XU, name="</xml><code>{registration}</code>]]>&amp;")
    before = late.calls("civil_affairs_soap")
    asking = replace(question("marriage_check_single", expect={"marital_status": "20"}), subject=hostile)
    assert (await directory.ask(asking)).outcome is Outcome.MATCH
    assert late.calls("civil_affairs_soap") == before + 1


# --- What is brought to us ------------------------------------------------------------------------------------------


def push_connector(directory: Directory) -> PushConnector:
    (connector,) = directory.connectors(PushConnector)
    return connector


def body_about(number: str, *, ticket: str = "call-0001", rows: int = 1) -> bytes:
    row = {
        "jgh": "C11000", "zjhm": number, "grzh": "1", "grzhzt": "01", "khrq": "2010-07-01", "grjcjs": "1.00",
        "grjcbl": "12.00", "dwjcbl": "12.00", "gryjce": "1.00", "dwyjce": "1.00", "grzhye": "1.00", "jzny": "202610",
    }  # fmt: skip
    return json.dumps({"ywlsh": ticket, "tsbh": "n-1", "code": "00", "data": {"cxjg": [row] * rows}}).encode()


def lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def test_only_what_the_department_signed_lately_is_read(late: LateFleet, directory: Directory) -> None:
    connector = push_connector(directory)
    secret = (late.secrets_folder / "pushing-office-secret").read_text(encoding="utf-8").strip()
    now = int(connector._now().timestamp())
    body = body_about(XU.id_number)
    good = connector.read_posted(lowered(signed(secret, body, now)), body)
    assert isinstance(good, Pushed)
    assert (good.question, good.number) == ("call-0001", "n-1")
    assert connector.read_posted(lowered(signed(secret, body, now)), body + b" ") is None
    assert connector.read_posted(lowered(signed("guessed", body, now)), body) is None
    assert connector.read_posted({}, body) is None
    for off in (-FARTHEST - 5, FARTHEST + 5):
        assert connector.read_posted(lowered(signed(secret, body, now + off)), body) is None
    headers = lowered(signed(secret, body, now)) | {"x-department-time": str(now + 1)}
    assert connector.read_posted(headers, body) is None
    for spoiled in (b"{", b"[]", b'{"ywlsh":{}}', b'{"ywlsh":"x"}'):
        assert connector.read_posted(lowered(signed(secret, spoiled, now)), spoiled) is None


@pytest.mark.parametrize(
    ("number", "rows", "outcome"),
    [
        (XU.id_number, 1, Outcome.FOUND),
        (XU.id_number, 0, Outcome.NO_RECORD),
        (UNMARRIED.id_number, 1, Outcome.GARBLED),
    ],
)
async def test_what_was_posted_is_held_to_the_contract(
    directory: Directory, number: str, rows: int, outcome: Outcome
) -> None:
    connector = push_connector(directory)
    asking = replace(question("hpf_remote_account"), fields=("balance",))
    posted = Pushed("call-0001", "n-1", body_about(number, rows=rows))
    answer = directory.read(asking, connector.route, lambda: connector.answer_in(posted, asking))
    assert answer.outcome is outcome
    assert answer.records == (({"balance": 100},) if outcome is Outcome.FOUND else ())


def typed_answer(directory: Directory, typed: Typed) -> Answer:
    (connector,) = directory.connectors(ManualConnector)
    asking = replace(question("deed_tax"), fields=("paid_amount", "paid_date"))
    return directory.read(asking, connector.route, lambda: connector.answer_in(typed, asking))


def row(person: str = XU.id_number, amount: str = "1", paid_on: str = "2026-10-18") -> dict[str, str]:
    return {"person": person, "paid_amount": amount, "paid_date": paid_on}


@pytest.mark.parametrize(
    ("said", "record", "outcome", "code"),
    [
        ("found", row(XU.id_number.lower(), "12,345.00", "2026年10月18日"), Outcome.FOUND, "found"),
        ("found", row(amount="", paid_on=""), Outcome.FOUND, "found"),
        ("found", row(NO_HOME.id_number), Outcome.GARBLED, "wrong_person"),
        ("found", row(""), Outcome.GARBLED, "wrong_person"),
        ("found", row(amount="a lot"), Outcome.GARBLED, "money"),
        ("no_record", {}, Outcome.NO_RECORD, "no_record"),
        ("denied_by_department", {}, Outcome.DENIED_BY_DEPARTMENT, "denied_by_department"),
        ("not_decidable", {}, Outcome.NOT_DECIDABLE, "not_decidable"),
    ],
)
async def test_what_was_typed_is_held_to_the_contract(
    late: LateFleet, tmp_path: Path, said: str, record: dict[str, str], outcome: Outcome, code: str
) -> None:
    directory = load(late, tmp_path / "r.yaml", "tax-manual")
    answer = typed_answer(directory, Typed(said, record, "t-7"))  # type: ignore[arg-type]
    await directory.aclose()
    assert (answer.outcome, answer.raw_code) == (outcome, code)
