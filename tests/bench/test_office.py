"""The bench's office can be told to be late, as the test departments can."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.office import known_numbers
from connectors.departments.process import DepartmentProcess


@pytest.fixture
def office(tmp_path: Path) -> Iterator[DepartmentProcess]:
    started = DepartmentProcess.start("bench.office", tmp_path)
    yield started
    started.stop()


def seconds_of_an_answer(office: DepartmentProcess) -> float:
    asked = json.dumps({"zjh": known_numbers()[0]}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{office.port}/json/household_register", asked)
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["code"] == "00"
    return time.perf_counter() - began


def test_an_office_that_is_told_to_be_slow_answers_late(office: DepartmentProcess) -> None:
    office.control("POST", "/faults", {"fault": "slow", "seconds": 0.5})
    # A timer may go off a little early
    assert seconds_of_an_answer(office) > 0.4
