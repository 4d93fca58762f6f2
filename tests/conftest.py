"""The fleet of test departments, started once; a fresh world for each test that asks for one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.departments.fleet import Fleet
from tests.world import World, open_world


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet.start(tmp_path_factory.mktemp("departments")) as running:
        yield running


@pytest_asyncio.fixture
async def world(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    async with open_world(tmp_path, fleet) as opened:
        yield opened
