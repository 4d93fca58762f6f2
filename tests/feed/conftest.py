"""Two fund centres and two people at one broker."""

from dataclasses import dataclass

import pytest_asyncio

from broker.client import RequesterClient
from broker.demo.phone import Phone
from connectors.departments.people import LIN, XU
from tests.world import World


@dataclass(frozen=True, slots=True)
class Town:
    """Everybody is registered and signed in; nobody has asked or granted anything yet."""

    world: World
    yangzhou: RequesterClient
    beijing: RequesterClient
    xu: Phone
    lin: Phone


@pytest_asyncio.fixture
async def town(world: World) -> Town:
    return await inhabited(world)


@pytest_asyncio.fixture
async def each_town(each_world: World) -> Town:
    """The same over each store."""
    return await inhabited(each_world)


async def inhabited(world: World) -> Town:
    return Town(
        world,
        await world.centre("yz-hpf"),
        await world.centre("bj-hpf"),
        await world.phone(XU),
        await world.phone(LIN),
    )
