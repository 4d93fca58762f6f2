"""One world for this folder: a whole case from the question to the withdrawal, and an auditor who comes afterwards."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from connectors.departments.fleet import Fleet
from tests.auditing.case import Case, live
from tests.staff.desk import found, sit_down
from tests.world import open_world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def case(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Case]:
    async with open_world(tmp_path_factory.mktemp("audited"), fleet) as world:
        await found(world)
        yield await live(world, await sit_down(world, "a-001"))
