"""One world for all tests of this folder; each test has people of its own in it, so none sees another's entries.

Its log is not held against the rules of a whole log: entries stand in it that only other parts of the program write.
"""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from broker.client import RequesterClient
from connectors.departments.fleet import Fleet
from tests.mydata.living import Life
from tests.world import World, open_world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def town(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(tmp_path_factory.mktemp("town"), fleet) as world:
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def centre(town: World) -> RequesterClient:
    return await town.centre()


@pytest.fixture(scope="package")
def orders() -> "count[int]":
    """So that no two people of this folder have one number."""
    return count(100)


@pytest_asyncio.fixture(loop_scope="package")
async def life(town: World, centre: RequesterClient, orders: "count[int]") -> Life:
    """Somebody new, signed in."""
    return await Life.begin(town, centre, next(orders))
