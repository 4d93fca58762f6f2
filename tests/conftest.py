"""The fleet of test departments, started once; a fresh world for each test that asks for one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.departments.fleet import Fleet
from tests.postgresql import Server, server
from tests.world import World, open_world


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet.start(tmp_path_factory.mktemp("departments")) as running:
        yield running


@pytest_asyncio.fixture
async def world(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    async with open_world(tmp_path, fleet) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server to make scratch databases on; where none can be had, its tests are skipped."""
    with server() as found:
        yield found


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    with postgresql.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    """What the setting `database:` says: the same test over each store."""
    return str(request.getfixturevalue("postgresql_url")) if request.param == "postgresql" else "broker.db"


@pytest_asyncio.fixture
async def each_world(tmp_path: Path, fleet: Fleet, store: str) -> AsyncIterator[World]:
    async with open_world(tmp_path, fleet, database=store) as opened:
        yield opened


@pytest_asyncio.fixture
async def world_on_postgresql(tmp_path: Path, fleet: Fleet, postgresql_url: str) -> AsyncIterator[World]:
    async with open_world(tmp_path, fleet, database=postgresql_url) as opened:
        yield opened
