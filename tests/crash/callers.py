"""Centres and people who go on whatever happens to the brokers, repeat what was not answered, and keep what was."""

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from audit import verify
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from tests.crash.brokers import Brokers, check_living
from tests.faults.serving import grant, pull_members
from tests.faults.test_kill import USES, check_endings
from tests.world import letters

GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)
LATER = frozenset({"exchange_running", "ledger_unavailable"})
"""Its process is dead and nobody has closed it yet; or the database is away. A repeat is answered."""
ANSWERED_WITHIN = 60.0


@dataclass
class Caller:
    """One person and the clerk who serves her."""

    brokers: Brokers
    centre: RequesterClient
    phone: Phone
    cut: int = 0
    """Exchanges whose connection broke before the answer."""
    refused: int = 0
    repeated: int = 0
    answered: dict[str, Reply] = field(default_factory=dict)

    async def go_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            if consent := await self.granted():
                for _ in range(USES):
                    await self.exchange(consent, f"crash-{letters()}")

    async def granted(self) -> str:
        """A consent; empty where a broker or the database went away meanwhile."""
        try:
            return await grant(self.centre, self.phone)
        except GONE:
            return ""
        except AssertionError as error:
            if "ledger_unavailable" not in str(error):
                raise
            await asyncio.sleep(0.05)
            return ""

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
            else:
                assert reply.code in LATER, reply.members
                self.refused += 1
                await asyncio.sleep(0.05)
        self.repeated += asked > 1


def check(brokers: Brokers, callers: list[Caller]) -> int:
    """After the brokers' end: all that was answered is in the log, and each admission ended once; interrupted ones."""
    entries = brokers.folder.entries()
    interrupted: int = sum(entry["event"] == "exchange.interrupted" for entry in entries)
    check_living(entries)
    check_endings(entries)
    for caller in callers:
        for exchange, reply in caller.answered.items():
            held = verify.verify_receipt(reply.members["receipt"], brokers.folder.vkey, reply.members["results"])
            recorded = entries[held.entry.index]
            assert (recorded["event"], recorded["body"]["exchange"]) == ("exchange.released", exchange)
    assert brokers.folder.check().unfinished == 0
    return interrupted
