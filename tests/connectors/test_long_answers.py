"""An answer of some hundred thousand bytes is read in a thread: reading it must hold up nobody else's."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors import files, http, soap, tickets
from connectors.departments.late_fleet import LateFleet
from connectors.departments.process import DepartmentProcess
from connectors.directory import Directory
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS, question, routes_text, write_secrets
from tests.connectors.late_asking import DEPARTMENT_OF, ITEM_OF, load, settled


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each reading, whether it was done within an event loop."""
    found: list[bool] = []

    def noticed(reading: Any) -> Any:
        def read(*args: Any, **named: Any) -> Any:
            found.append(asyncio._get_running_loop() is not None)
            return reading(*args, **named)

        return read

    for module in (http, soap, tickets):
        monkeypatch.setattr(module, "read_reply", noticed(module.read_reply))
    monkeypatch.setattr(files, "read_lines", noticed(files.read_lines))
    return found


@pytest.mark.parametrize("fault", ["none", "long"])
@pytest.mark.parametrize("route", ["civil-affairs-soap", "ticket-platform", "tax-files-folder", "tax-files-sftp"])
async def test_a_long_one_is_read_aside(
    late: LateFleet, tmp_path: Path, readers: list[bool], route: str, fault: str
) -> None:
    late.set_fault(DEPARTMENT_OF[route], fault)
    directory = load(late, tmp_path / "r.yaml", route)
    answer = await settled(directory, question(ITEM_OF[route], expect={"marital_status": "20"}), 10)
    await directory.aclose()
    assert answer.outcome in {Outcome.FOUND, Outcome.MATCH}
    assert readers
    assert all(in_loop is (fault == "none") for in_loop in readers)


@pytest.mark.parametrize("fault", ["none", "long"])
async def test_over_http(tmp_path: Path, readers: list[bool], fault: str) -> None:
    department = DepartmentProcess.start("civil_affairs", tmp_path / "department")
    department.control("POST", "/faults", {"fault": fault})
    text = routes_text(tmp_path).replace("http://127.0.0.1:1/ws", f"http://127.0.0.1:{department.port}/ws")
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    directory = Directory.load(tmp_path / "r.yaml", ITEMS, write_secrets(tmp_path / "secrets"))
    answer = await directory.ask(question("marriage_check_single", expect={"marital_status": "20"}))
    await directory.aclose()
    department.stop()
    assert answer.outcome is Outcome.MATCH
    assert readers == [fault == "none"]
