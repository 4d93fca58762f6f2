"""The city's data platform beside the fleet, started once; a world in which everybody of a bundle is registered."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.departments.city import City
from connectors.departments.fleet import Fleet
from tests.world import World, open_world


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory, fleet: Fleet) -> Iterator[City]:
    with City.start(tmp_path_factory.mktemp("city"), fleet) as running:
        yield running


@pytest.fixture
def city(platform: City) -> Iterator[City]:
    yield platform
    platform.set_fault("none")


@pytest_asyncio.fixture
async def town(tmp_path: Path, fleet: Fleet, city: City, store: str) -> AsyncIterator[World]:
    async with open_world(
        tmp_path, fleet, database=store, change=lambda settings: replace(settings, routes=city.routes_file)
    ) as opened:
        yield opened


@pytest.fixture
def store() -> str:
    return "broker.db"
