"""One world for each file of this folder, with a second matter in its catalogue; tests leave it as they found it."""

from collections.abc import AsyncIterator
from shutil import copytree

import pytest
import pytest_asyncio

from connectors.departments.fleet import Fleet
from policies.catalogue import SHIPPED_CATALOGUE
from tests.gate.scene import OTHER_MATTER, Scene, prepare
from tests.world import MATTER, World, open_world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, fleet: Fleet) -> AsyncIterator[World]:
    catalogue = tmp_path_factory.mktemp("catalogue") / "catalogue"
    copytree(SHIPPED_CATALOGUE, catalogue)
    first = (catalogue / "matters" / f"{MATTER}.yaml").read_text(encoding="utf-8")
    (catalogue / "matters" / f"{OTHER_MATTER}.yaml").write_text(first.replace(MATTER, OTHER_MATTER), encoding="utf-8")
    async with open_world(tmp_path_factory.mktemp("world"), fleet, catalogue=catalogue) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(shared: World) -> Scene:
    return await prepare(shared)
