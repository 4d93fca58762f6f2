"""What carrying on costs: who is called again is called within the limits; a department that comes to us is not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.contract import Ticket
from connectors.departments.late_fleet import LateFleet
from connectors.directory import Directory
from connectors.hours import CHINA
from connectors.routes import read_routes
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS, question
from tests.connectors.late_asking import DEPARTMENT_OF, ITEM_OF, Counted

CALLED_AGAIN = ("ticket-platform", "tax-files-sftp", "tax-tables")
COMES_TO_US = ("pushing-office", "tax-manual", "tax-files-folder")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LateFleet]:
    with LateFleet.start(tmp_path_factory.mktemp("late-limits")) as fleet:
        yield fleet


@pytest.fixture
def fleet(running: LateFleet) -> Iterator[LateFleet]:
    for name in set(DEPARTMENT_OF.values()) - {"civil_affairs_soap"}:
        running.set_fault(name, "never")
    yield running
    running.straighten()


def limited(fleet: LateFleet, folder: Path, route: str, limits: str) -> Directory:
    file = fleet.write_routes(folder / "r.yaml", route)
    text = file.read_text(encoding="utf-8")
    text = text.replace("        late:", f"        limits: {limits}\n        late:", 1)
    file.write_text(text.replace("deadline_seconds: 3", "deadline_seconds: 1"), encoding="utf-8")
    return Directory.open(read_routes(file, ITEMS, fleet.secrets_folder), Counted())


@pytest.mark.parametrize("route", CALLED_AGAIN + COMES_TO_US)
async def test_only_what_calls_the_department_counts_as_a_call(fleet: LateFleet, tmp_path: Path, route: str) -> None:
    directory = limited(fleet, tmp_path, route, "{per_day: 2}")
    asked = question(ITEM_OF[route])
    first = await directory.ask(asked)
    assert first.outcome is Outcome.PENDING
    assert first.ticket is not None
    looked = [(await directory.carry_on(asked, route, first.ticket)).outcome for _ in range(3)]
    await directory.aclose()
    calls = [Outcome.PENDING, Outcome.QUOTA, Outcome.QUOTA]
    assert looked == (calls if route in CALLED_AGAIN else [Outcome.PENDING] * 3)


@pytest.mark.parametrize("route", CALLED_AGAIN + COMES_TO_US)
async def test_outside_its_hours_a_department_may_still_come_to_us(
    fleet: LateFleet, tmp_path: Path, route: str
) -> None:
    now = datetime.now(CHINA)
    begins, ends = (f"{now + timedelta(days=days):%Y-%m-%d %H:%M}" for days in (-1, 1))
    directory = limited(fleet, tmp_path, route, f"{{outages: [{{from: {begins}, to: {ends}, reason: x}}]}}")
    answer = await directory.carry_on(question(ITEM_OF[route]), route, Ticket("20991231000001", 1, 60))
    await directory.aclose()
    assert answer.outcome is (Outcome.CLOSED_HOURS if route in CALLED_AGAIN else Outcome.PENDING)
    (health,) = directory.health()
    assert (health.last is None) == (route in COMES_TO_US), "nobody was asked, so it says nothing of its health"
