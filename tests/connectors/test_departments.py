"""Every test department, asked as the broker asks it, honest and bent."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, NO_HOME, OLD_FORM, RESIDENTS, TWO_HOMES, UNKNOWN, UNMARRIED, XU
from connectors.directory import Directory
from policies.identifiers import read_id_number
from policies.vocabulary import Outcome, Person, Scalar
from tests.connectors.asking import DEPARTMENT, ITEMS, question

XUS: Final[Mapping[str, Mapping[str, Scalar]]] = {
    "real_estate_registration": {
        "owner_name": "徐建国",
        "owner_id_number": XU.id_number,
        "certificate_number": "苏(2026)扬州市不动产权第0012345号",
        "planned_use": "11",
        "building_area": "118.50",
        "co_ownership_kind": "1",
        "right_status": "1",
        "registration_date": "2026-10-20",
        "mortgaged_flag": False,
    },
    "deed_tax": {
        "taxpayer_id": XU.id_number,
        "location": "扬州市 示例区文昌示例路88号2幢902室",
        "taxable_amount": 123450000,
        "paid_amount": 1234500,
        "paid_date": "2026-10-18",
    },
    "hpf_remote_account": {
        "center_code": "C11000",
        "account_status": "01",
        "open_date": "2010-07-01",
        "personal_rate": "12.00",
        "balance": 28650000,
        "paid_to": "2026-10",
    },
}


@pytest.mark.parametrize("item", XUS)
async def test_gives_exactly_the_asked_fields_in_the_catalogue_form(directory: Directory, item: str) -> None:
    answer = await directory.ask(question(item, tuple(XUS[item])))
    assert answer.outcome is Outcome.FOUND
    assert [dict(record) for record in answer.records] == [dict(XUS[item])]


@pytest.mark.parametrize("item", XUS)
async def test_what_was_not_asked_is_dropped_and_counted(directory: Directory, item: str) -> None:
    name = next(iter(XUS[item]))
    answer = await directory.ask(question(item, (name,)))
    assert [tuple(record) for record in answer.records] == [(name,)]
    # a database is asked for the asked columns alone, beside the person and the batch's time
    assert 1 <= answer.dropped <= 2 if item == "deed_tax" else answer.dropped > 5


@pytest.mark.parametrize(
    ("person", "status", "outcome"),
    [
        (XU, "20", Outcome.MATCH),
        (XU, "10", Outcome.MISMATCH),
        (LIN, "20", Outcome.MATCH),
        (UNMARRIED, "10", Outcome.MATCH),
        (UNMARRIED, "20", Outcome.MISMATCH),
        (UNKNOWN, "10", Outcome.NOT_DECIDABLE),
    ],
)
async def test_a_check_leaves_one_word(directory: Directory, person: Person, status: str, outcome: Outcome) -> None:
    answer = await directory.ask(question("marriage_check_single", subject=person, expect={"marital_status": status}))
    assert (answer.outcome, answer.records) == (outcome, ())


async def test_a_check_of_two_fields_and_one_the_department_lacks(directory: Directory) -> None:
    both: Mapping[str, Scalar] = {"marital_status": "20", "registration_date": "2014-05-20"}
    assert (await directory.ask(question("marriage_check_single", expect=both))).outcome is Outcome.MATCH
    lacking = question("marriage_check_single", subject=UNMARRIED, expect={"registration_date": "2014-05-20"})
    assert (await directory.ask(lacking)).outcome is Outcome.NOT_DECIDABLE


async def test_no_home_old_number_and_two_homes(directory: Directory) -> None:
    asked = question("real_estate_registration", ("owner_id_number", "right_status"))
    assert (await directory.ask(replace(asked, subject=NO_HOME))).outcome is Outcome.NO_RECORD
    old = await directory.ask(replace(asked, subject=OLD_FORM))
    assert [record["owner_id_number"] for record in old.records] == [OLD_FORM.id_number]
    two = await directory.ask(replace(asked, subject=TWO_HOMES))
    assert sorted(str(record["right_status"]) for record in two.records) == ["1", "2"]


@pytest.mark.parametrize(
    ("item", "params", "outcome"),
    [
        ("real_estate_registration", {"division_code": "321099"}, Outcome.FOUND),
        ("real_estate_registration", {"division_code": "110000"}, Outcome.NO_RECORD),
        ("deed_tax", {"date_from": "2026-10-18", "date_to": "2026-10-18"}, Outcome.FOUND),
        ("deed_tax", {"date_from": "2026-10-19"}, Outcome.NO_RECORD),
        ("deed_tax", {"date_to": "2026-10-17"}, Outcome.NO_RECORD),
        ("hpf_remote_account", {"center_code": "C11000"}, Outcome.FOUND),
        ("hpf_remote_account", {"center_code": "C31000"}, Outcome.NO_RECORD),
    ],
)
async def test_parameters_limit_the_answer(
    directory: Directory, item: str, params: Mapping[str, str], outcome: Outcome
) -> None:
    assert (await directory.ask(question(item, params=params))).outcome is outcome


@pytest.mark.parametrize("item", DEPARTMENT)
async def test_the_department_learns_which_call_this_is(fleet: Fleet, directory: Directory, item: str) -> None:
    before = fleet.calls(DEPARTMENT[item])["count"]
    await directory.ask(question(item))
    told = fleet.calls(DEPARTMENT[item])
    assert told["count"] == before + 1
    assert told["last"][-1] == {
        "call": "call-0001",
        "requester": "yz-hpf",
        "operator": "desk7.op3",
        "matter": "purchase_withdrawal",
        "case": "YZ-2026-000123",
        "consent": "jti-of-the-consent-0001",
    }


EVERYWHERE: Final = {
    "slow": {Outcome.TIMEOUT},
    "hang": {Outcome.TIMEOUT},
    "down": {Outcome.DEPARTMENT_DOWN},
    "500": {Outcome.DEPARTMENT_DOWN},
    "garbled": {Outcome.GARBLED},
    "html": {Outcome.GARBLED},
    "truncated": {Outcome.GARBLED},
    "huge": {Outcome.GARBLED},
    "wrong_person": {Outcome.GARBLED},
    "no_record": {Outcome.NO_RECORD, Outcome.NOT_DECIDABLE},
}


@pytest.mark.parametrize("fault", EVERYWHERE)
@pytest.mark.parametrize("bent", DEPARTMENT)
async def test_a_fault_costs_its_own_item_only(fleet: Fleet, hasty: Directory, bent: str, fault: str) -> None:
    fleet.set_fault(DEPARTMENT[bent], fault, seconds=5)
    took: dict[str, float] = {}

    async def ask(item: str) -> Outcome:
        start = time.monotonic()
        answer = await hasty.ask(question(item, expect={"marital_status": "20"}))
        took[item] = time.monotonic() - start
        assert answer.outcome is Outcome.FOUND or not answer.records
        return answer.outcome

    outcomes = dict(zip(DEPARTMENT, await asyncio.gather(*map(ask, DEPARTMENT)), strict=True))
    assert outcomes.pop(bent) in EVERYWHERE[fault]
    assert took.pop(bent) < 0.5 + 1, "its deadline, and a busy machine"
    assert set(outcomes.values()) <= {Outcome.FOUND, Outcome.MATCH}
    assert max(took.values()) < 0.5, "they waited for it"


@pytest.mark.parametrize("item", DEPARTMENT)
async def test_an_answer_about_somebody_else_is_never_released(fleet: Fleet, directory: Directory, item: str) -> None:
    fleet.set_fault(DEPARTMENT[item], "wrong_person")
    for person in (XU, UNMARRIED):
        answer = await directory.ask(question(item, subject=person, expect={"marital_status": "20"}))
        assert (answer.outcome, answer.records) == (Outcome.GARBLED, ())
        assert answer.raw_code == "wrong_person"


async def test_a_department_recovers_for_the_next_question(fleet: Fleet, hasty: Directory) -> None:
    for item, department in DEPARTMENT.items():
        fleet.set_fault(department, "slow", seconds=0.1)
        assert (await hasty.ask(question(item))).outcome in {Outcome.FOUND, Outcome.NOT_DECIDABLE}


@pytest.mark.parametrize("minutes", [-11, 11])
async def test_the_gateway_refuses_a_clock_that_is_off(fleet: Fleet, minutes: int) -> None:
    wrong = Directory.load(
        fleet.routes_file,
        ITEMS,
        fleet.secrets_folder,
        now=lambda: datetime.now(UTC) + timedelta(minutes=minutes),
    )
    answer = await wrong.ask(question("hpf_remote_account"))
    await wrong.aclose()
    assert (answer.outcome, answer.raw_code) == (Outcome.AUTH_FAILED, "-19")


async def test_wrong_keys_are_refused_by_the_departments(fleet: Fleet, tmp_path: Path) -> None:
    for name in ("property-registry-key", "beijing-fund-secret"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text("somebody else's key", encoding="utf-8")
    stranger = Directory.load(fleet.routes_file, ITEMS, tmp_path)
    property_registry = await stranger.ask(question("real_estate_registration"))
    fund = await stranger.ask(question("hpf_remote_account"))
    await stranger.aclose()
    assert (property_registry.outcome, property_registry.raw_code) == (Outcome.AUTH_FAILED, "403")
    assert (fund.outcome, fund.raw_code) == (Outcome.AUTH_FAILED, "-5")


def test_secrets_are_for_their_owner_only(running: Fleet) -> None:
    files = list(running.secrets_folder.iterdir())
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_every_made_up_person_can_be_nobody() -> None:
    assert len(RESIDENTS) >= 22
    for resident in RESIDENTS:
        assert read_id_number(resident.person.id_number).startswith("321099")


def test_departments_end_with_whoever_started_them(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib; from connectors.departments.fleet import Fleet;"
        f"fleet = Fleet.start(pathlib.Path({str(tmp_path)!r}));"
        "print(*(one.child.pid for one in fleet.running.values()), flush=True); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)
    pids = ended.stdout.split()
    assert len(pids) == 4
    end = time.monotonic() + 10
    while any(_runs(int(pid)) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(_runs(int(pid)) for pid in pids)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sigterm_is_a_clean_end(tmp_path: Path) -> None:
    fleet = Fleet.start(tmp_path)
    fleet.stop()
    assert [one.child.returncode for one in fleet.running.values()] == [0, 0, 0, 0]
