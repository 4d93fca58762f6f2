"""A steward's stop against exchanges under way: judged by ledger index, over both stores."""

import asyncio
import random
import sys
import time
from collections import Counter
from typing import Any

from broker.client import RequesterClient
from broker.staff.roles import Role
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.staff.desk import STU, found, hire, sit_down
from tests.stewards.conftest import ITEM
from tests.world import ITEMS, World

ROUNDS = 6
STOP = {"reason": "a race", "requester": "yz-hpf"}


async def test_a_stop_is_judged_by_ledger_index(each_world: World, fleet: Fleet) -> None:
    world, seed = each_world, time.time_ns()
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    await found(world)
    await hire(world, "d-001", STU, Role.STEWARD, "taxation")
    desk, centre, phone = await sit_down(world, "d-001"), await world.centre(), await world.phone(XU)
    fleet.set_fault("property_registry", "slow", 0.06)
    try:
        began = time.monotonic()
        assert (await world.pull(centre, await world.grant(centre, phone, items=ITEMS))).status == 200
        whole = time.monotonic() - began
        for _ in range(ROUNDS):
            consent = await world.grant(centre, phone, items=ITEMS)
            racing = [asyncio.create_task(late(chance.uniform(0, whole), world, centre, consent)) for _ in range(3)]
            await asyncio.sleep(chance.uniform(0, 1.5 * whole))
            assert (await desk.post(f"/steward/items/{ITEM}/stop", STOP)).status == 303
            assert (await world.pull(centre, consent)).code == "releases_stopped", "the very next one got in"
            await asyncio.gather(*racing)
            assert (await desk.post(f"/steward/items/{ITEM}/start", STOP)).status == 303
    finally:
        fleet.set_fault("property_registry", "none")
    judge(world.entries())
    world.check_log()


async def late(seconds: float, world: World, centre: RequesterClient, consent: str) -> None:
    await asyncio.sleep(seconds)
    reply = await world.pull(centre, consent)
    assert reply.status == 200 or reply.code == "releases_stopped", reply.members


def judge(entries: list[dict[str, Any]]) -> None:
    """While it is stopped the item is admitted by nobody, and every release says that it was withheld."""
    stopped, seen = False, Counter[str]()
    for entry in entries:
        if entry["event"] in ("releases.stopped", "releases.started"):
            stopped = entry["event"] == "releases.stopped"
        elif entry["event"] == "exchange.admitted":
            assert not stopped or ITEM not in {one["item"] for one in entry["body"]["items"]}, entry["index"]
        elif entry["event"] == "exchange.released":
            for one in entry["body"]["results"]:
                if one["item"] == ITEM:
                    assert (one["outcome"] == "withheld") == stopped, entry["index"]
                    seen[one["outcome"]] += 1
    assert seen["found"] > 0
