"""One world for most tests of this folder: two stewards of different departments, a centre and a person who agrees.

Its log is not held against the rules of a whole log: admissions are planted in it that never were.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from broker.staff.roles import Role
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU, made_up
from tests.staff.desk import STU, Desk, found, hire, sit_down
from tests.world import ITEMS, World, letters, open_world

OTHER = made_up("数据己", "19760101", 206)
ITEM = "deed_tax"
"""Of taxation; the steward of civil affairs has nothing to do with it."""


@dataclass
class Town:
    """The world, its stewards' browsers, and who asks about whom."""

    world: World
    tax: Desk
    civil: Desk
    centre: RequesterClient
    other: RequesterClient
    """Another centre."""
    phone: Phone

    async def consent(self, **members: Any) -> str:
        return await self.world.grant(self.centre, self.phone, items=ITEMS, **members)

    async def pull(self, consent: str, **members: Any) -> Reply:
        return await self.world.pull(self.centre, consent, **members)

    async def stop(self, item: str = ITEM, requester: str = "", reason: str = "a test") -> int:
        fields = {"reason": reason, "requester": requester}
        return (await self.tax.post(f"/steward/items/{item}/stop", fields)).status

    async def start(self, item: str = ITEM, requester: str = "") -> int:
        return (await self.tax.post(f"/steward/items/{item}/start", {"requester": requester})).status

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [entry["body"] for entry in self.world.entries() if entry["event"] == event]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def town(fleet: Fleet, tmp_path_factory: Any) -> AsyncIterator[Town]:
    async with open_world(tmp_path_factory.mktemp("town"), fleet) as world:
        await found(world)
        await hire(world, "d-001", STU, Role.STEWARD, "taxation")
        await hire(world, "d-002", OTHER, Role.STEWARD, "civil_affairs")
        tax, civil = await sit_down(world, "d-001"), await sit_down(world, "d-002")
        centre, other = await world.centre(), await world.centre("bj-hpf")
        yield Town(world, tax, civil, centre, other, await world.phone(XU))


def new_exchange() -> str:
    return f"x-{letters()}"
