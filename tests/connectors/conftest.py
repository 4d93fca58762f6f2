"""Both fleets of test departments for all tests of this room, straightened after each; a directory for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.directory import Directory
from tests.connectors.asking import ITEMS


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet.start(tmp_path_factory.mktemp("fleet")) as fleet:
        yield fleet


@pytest.fixture
def fleet(running: Fleet) -> Iterator[Fleet]:
    yield running
    for name in NAMES:
        running.set_fault(name, "none")


@pytest.fixture(scope="session")
def running_late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LateFleet]:
    with LateFleet.start(tmp_path_factory.mktemp("late-fleet")) as fleet:
        yield fleet


@pytest.fixture
def late(running_late: LateFleet) -> Iterator[LateFleet]:
    yield running_late
    running_late.straighten()


@pytest.fixture
async def directory(fleet: Fleet) -> AsyncIterator[Directory]:
    loaded = Directory.load(fleet.routes_file, ITEMS, fleet.secrets_folder)
    yield loaded
    await loaded.aclose()


@pytest.fixture
async def hasty(fleet: Fleet, tmp_path: Path) -> AsyncIterator[Directory]:
    """Yield the same routes with deadlines of half a second."""
    file = tmp_path / "hasty.yaml"
    text = fleet.routes_file.read_text(encoding="utf-8")
    file.write_text(text.replace("deadline_seconds: 3", "deadline_seconds: 0.5"), encoding="utf-8")
    loaded = Directory.load(file, ITEMS, fleet.secrets_folder)
    yield loaded
    await loaded.aclose()
