"""One fleet of late departments for all tests here, straightened after each; a fresh world for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from tests.late.world import open_late_world
from tests.world import World


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LateFleet]:
    with LateFleet.start(tmp_path_factory.mktemp("late")) as fleet:
        yield fleet


@pytest.fixture
def late(running: LateFleet) -> Iterator[LateFleet]:
    yield running
    running.straighten()


@pytest.fixture
async def world(tmp_path: Path, fleet: Fleet, late: LateFleet, store: str) -> AsyncIterator[World]:
    async with open_late_world(tmp_path, fleet, late, database=store) as opened:
        yield opened


@pytest.fixture
def store() -> str:
    return "broker.db"
