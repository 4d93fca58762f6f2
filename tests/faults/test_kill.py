"""kill -9 at any moment: what a client received is recorded, what was cut is closed, a use is never lost or doubled.

FAULTS_LONG=1 kills 100 times instead of 6; FAULTS_SEED=N repeats a run's moments.
"""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from audit import verify
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, NO_HOME, TWO_HOMES, UNMARRIED, XU
from tests.faults.deadlines import with_deadline
from tests.faults.serving import Folder, Process, found, grant, pull_members, signed_in
from tests.world import letters

KILLS = 100 if os.environ.get("FAULTS_LONG") else 6
PEOPLE = (XU, LIN, UNMARRIED, NO_HOME, TWO_HOMES)
USES = 3
ENDINGS = ("exchange.released", "exchange.withheld", "exchange.interrupted")


@dataclass
class Caller:
    """One person and the centre's clerk who serves her, going on and on; remembers all that was answered."""

    centre: RequesterClient
    phone: Phone
    consents: dict[str, str] = field(default_factory=dict)
    """exchange -> the consent it goes under"""
    answered: list[tuple[str, Reply]] = field(default_factory=list)

    async def go_on(self, chance: random.Random) -> None:
        """Until the server is gone."""
        try:
            while True:
                consent = await grant(self.centre, self.phone)
                for _ in range(USES):
                    exchange = f"kill-{letters()}"
                    self.consents[exchange] = consent
                    for _ in range(chance.choice((1, 1, 2))):
                        await self.pull(exchange)
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return

    async def pull(self, exchange: str) -> Reply:
        reply = await self.centre.exchange(**pull_members(exchange, self.consents[exchange]))
        assert reply.status == 200, reply.members
        self.answered.append((exchange, reply))
        return reply


def seeded() -> random.Random:
    seed = int(os.environ.get("FAULTS_SEED", time.time_ns()))
    sys.stdout.write(f"FAULTS_SEED={seed}" + "\n")
    return random.Random(seed)


async def test_killed_again_and_again_under_load(tmp_path: Path, fleet: Fleet, store: str) -> None:
    chance = seeded()
    folder = found(tmp_path, fleet, store)
    # Over PostgreSQL each start waits whether those who look dead come back
    kills = KILLS if store == "broker.db" else KILLS // 2
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        centre = folder.centre(http)
        process = folder.start()
        callers = [Caller(centre, await signed_in(folder.settings.issuer, person)) for person in PEOPLE]
        again = 0
        try:
            # On a slow machine the first ones may all hit nothing
            while kills > 0 or (again == 0 and kills > -3 * KILLS):
                kills -= 1
                load = [asyncio.create_task(caller.go_on(chance)) for caller in callers]
                await asyncio.sleep(chance.uniform(0.05, 0.7))
                process.kill()
                await asyncio.gather(*load)
                process = folder.start()
                again += await check_closed_and_go_on(folder, callers)
        finally:
            process.end()
            for caller in callers:
                await caller.phone.http.close()
    entries = folder.entries()
    interrupted = sum(entry["event"] == "exchange.interrupted" for entry in entries)
    assert again == interrupted > 0, "no kill ever hit an exchange: the test proves nothing"
    assert folder.check().unfinished == 0


async def check_closed_and_go_on(folder: Folder, callers: list[Caller]) -> int:
    """After a start: everything answered is recorded, everything cut is closed; each cut one is repeated."""
    entries = folder.entries()
    check_answers(folder, callers, entries)
    check_endings(entries)
    last = {entry["body"]["exchange"]: entry for entry in entries if entry["event"] in ENDINGS}
    cut = [entry["body"] for entry in last.values() if entry["event"] == "exchange.interrupted"]
    for body in cut:
        caller = next(caller for caller in callers if body["exchange"] in caller.consents)
        reply = await caller.pull(body["exchange"])
        (spent,) = entries[body["admitted"]]["body"]["consents"]
        assert reply.members["uses"][0]["use"] == spent["use"], "a repeat of an interrupted exchange took another use"
    return len(cut)


def check_answers(folder: Folder, callers: list[Caller], entries: list[dict[str, Any]]) -> None:
    for caller in callers:
        for exchange, reply in caller.answered:
            receipt = reply.members["receipt"]
            held = verify.verify_receipt(receipt, folder.vkey, reply.members["results"])
            recorded = entries[held.entry.index]
            assert (recorded["event"], recorded["body"]["exchange"]) == ("exchange.released", exchange)
            if receipt not in folder.receipts:
                folder.receipts.append(receipt)


def check_endings(entries: list[dict[str, Any]]) -> None:
    """Each admission has ended once; no consent is used more often than was agreed, no use is given to two."""
    ends = Counter(entry["body"]["call"] for entry in entries if entry["event"] in ENDINGS)
    admitted = [entry["body"] for entry in entries if entry["event"] == "exchange.admitted"]
    assert ends == Counter(body["call"] for body in admitted)
    takers: dict[tuple[str, int], set[str]] = {}
    for body in admitted:
        (spent,) = body["consents"]
        assert 1 <= spent["use"] <= USES
        takers.setdefault((spent["jti"], spent["use"]), set()).add(body["exchange"])
    assert all(len(exchanges) == 1 for exchanges in takers.values()), "one use went to two exchanges"


async def test_a_start_beside_a_living_process_leaves_its_exchanges_alone(
    tmp_path: Path, fleet: Fleet, store: str
) -> None:
    folder = found(tmp_path, with_deadline(fleet, tmp_path / "patient", 60), store)
    running: list[Process] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        centre = folder.centre(http)
        running.append(folder.start())
        phone = await signed_in(folder.settings.issuer, XU)
        try:
            await beside_each_other(folder, fleet, running, (centre, await grant(centre, phone)))
        finally:
            fleet.set_fault("tax", "none")
            await phone.http.close()
            for process in running:
                process.end()
    check_endings(folder.entries())
    assert folder.check().unfinished == 0


async def beside_each_other(
    folder: Folder, fleet: Fleet, running: list[Process], asking: tuple[RequesterClient, str]
) -> None:
    """The tax office hangs for as long as is needed, and answers the moment it is straightened."""
    centre, consent = asking
    fleet.set_fault("tax", "hang")
    living = asyncio.create_task(centre.exchange(**pull_members("both-alive-one", consent)))
    await admitted(folder, 1)
    running.append(await asyncio.to_thread(folder.start, folder.second()))
    assert not living.done(), "too quick to prove anything"
    assert "exchange.interrupted" not in events(folder)
    fleet.set_fault("tax", "none")
    reply = await living
    assert reply.status == 200
    assert {result["outcome"] for result in reply.members["results"]} == {"found", "not_decidable"}

    # Now the first dies in the middle while the second lives: the next start closes it, and only that
    fleet.set_fault("tax", "hang")
    cut = asyncio.create_task(centre.exchange(**pull_members("cut-off-one", consent)))
    await admitted(folder, 2)
    running.pop(0).kill()
    with contextlib.suppress(aiohttp.ClientError):
        await cut
    assert "exchange.interrupted" not in events(folder)
    fleet.set_fault("tax", "none")
    running.append(await asyncio.to_thread(folder.start))
    assert events(folder).count("exchange.interrupted") == 1
    again = await centre.exchange(**pull_members("cut-off-one", consent))
    assert (again.status, again.members["uses"][0]["use"]) == (200, 2)


def events(folder: Folder) -> list[str]:
    return [entry["event"] for entry in folder.entries()]


async def admitted(folder: Folder, number: int) -> None:
    """Wait until so many exchanges have been admitted."""
    end = time.monotonic() + 10
    while events(folder).count("exchange.admitted") < number:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
