"""kill -9 of one of four brokers, again and again under load, over each store, while the others go on.

Nothing acknowledged is lost, nothing released is unlogged, no index is missing, every receipt ever handed out verifies,
and a process that starts closes what the dead one left and never what a living one is at.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from audit import verify
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, NO_HOME, TWO_HOMES, UNMARRIED, XU
from tests.crash.brokers import Brokers, check_living, four_brokers
from tests.crash.sizes import seeded, size
from tests.faults.serving import grant, pull_members
from tests.faults.test_kill import USES, check_endings
from tests.world import letters

KILLS = size(10, 1000)
PEOPLE = (XU, LIN, UNMARRIED, NO_HOME, TWO_HOMES)
GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)
ANSWERED_WITHIN = 60.0


@dataclass
class Caller:
    """One person and the clerk who serves her, going on whatever happens to the brokers."""

    brokers: Brokers
    centre: RequesterClient
    phone: Phone
    chance: random.Random
    cut: int = 0
    """Exchanges whose connection broke before the answer."""
    repeated: int = 0
    answered: dict[str, Reply] = field(default_factory=dict)

    async def go_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            try:
                consent = await grant(self.centre, self.phone)
            except GONE:
                continue
            for _ in range(USES):
                await self.exchange(consent, f"kill-{letters()}")

    async def exchange(self, consent: str, exchange: str) -> None:
        """Ask until it is answered, as a centre does: the same exchange is the same use."""
        end = time.monotonic() + ANSWERED_WITHIN
        asked = 0
        while exchange not in self.answered:
            assert time.monotonic() < end, f"{exchange} was never answered"
            asked += 1
            try:
                reply = await self.centre.exchange(**pull_members(exchange, consent))
            except GONE:
                self.cut += 1
                continue
            if reply.status == 200:
                self.brokers.keep(reply)
                self.answered[exchange] = reply
            else:  # its process is dead, and nobody has closed it yet
                assert reply.code == "exchange_running", reply.members
                await asyncio.sleep(0.05)
        self.repeated += asked > 1


async def test_killed_again_and_again_while_others_go_on(tmp_path: Path, fleet: Fleet, store: str) -> None:
    chance = seeded()
    fleet.set_fault("property_registry", "slow", 0.05)
    try:
        async with four_brokers(tmp_path, fleet, store, chance) as brokers:
            centre = brokers.centre()
            callers = [Caller(brokers, centre, await brokers.phone(person), chance) for person in PEOPLE]
            over = asyncio.Event()
            load = [asyncio.create_task(caller.go_on(over)) for caller in callers]
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.1, 0.8))
                await asyncio.to_thread(brokers.kill, chance.choice(brokers.each))
            await brokers.all_ready()
            over.set()
            await asyncio.gather(*load)
    finally:
        fleet.set_fault("property_registry", "none")
    check(brokers, callers)


def check(brokers: Brokers, callers: list[Caller]) -> None:
    entries = brokers.folder.entries()
    interrupted = sum(entry["event"] == "exchange.interrupted" for entry in entries)
    cut, repeated = sum(caller.cut for caller in callers), sum(caller.repeated for caller in callers)
    print(f"{len(entries)} entries, {interrupted} interrupted, {cut} cut, {repeated} repeated")  # noqa: T201 - shown where a test fails
    assert interrupted > 0, "no kill ever hit an exchange: the test proves nothing"
    check_living(entries)
    check_endings(entries)
    for caller in callers:
        for exchange, reply in caller.answered.items():
            held = verify.verify_receipt(reply.members["receipt"], brokers.folder.vkey, reply.members["results"])
            recorded = entries[held.entry.index]
            assert (recorded["event"], recorded["body"]["exchange"]) == ("exchange.released", exchange)
    assert brokers.folder.check().unfinished == 0
