"""kill -9 of one of four brokers, again and again under load, over each store, while the others go on.

Nothing acknowledged is lost, nothing released is unlogged, no index is missing, every receipt ever handed out verifies,
and a process that starts closes what the dead one left and never what a living one is at.
"""

import asyncio
from pathlib import Path

from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, NO_HOME, TWO_HOMES, UNMARRIED, XU
from tests.crash.brokers import four_brokers
from tests.crash.callers import Caller, check
from tests.crash.sizes import seeded, size

KILLS = size(10, 1000)
PEOPLE = (XU, LIN, UNMARRIED, NO_HOME, TWO_HOMES)


async def test_killed_again_and_again_while_others_go_on(tmp_path: Path, fleet: Fleet, store: str) -> None:
    chance = seeded()
    fleet.set_fault("property_registry", "slow", 0.25)  # most of an exchange, so that kills hit some
    try:
        async with four_brokers(tmp_path, fleet, store, chance) as brokers:
            centre = brokers.centre()
            callers = [Caller(brokers, centre, await brokers.phone(person)) for person in PEOPLE]
            over = asyncio.Event()
            async with asyncio.TaskGroup() as load:
                for caller in callers:
                    load.create_task(caller.go_on(over))
                for _ in range(KILLS):
                    await asyncio.sleep(chance.uniform(0.1, 0.8))
                    await brokers.enough_ready(2)
                    await asyncio.to_thread(brokers.kill, brokers.victim())
                await brokers.all_ready()
                over.set()
    finally:
        fleet.set_fault("property_registry", "none")
    assert check(brokers, callers) > 0, "no kill ever hit an exchange: the test proves nothing"
