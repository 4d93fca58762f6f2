"""Withdrawal against exchange, raced across four processes on one file, and judged by ledger index.

After `consent.withdrawn` nothing of that consent is admitted, and nothing of its person is released; every answer that
a centre holds is in the log.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, NO_HOME, TWO_HOMES, UNMARRIED, XU
from consent.grants import payload_of
from tests.crash.brokers import Brokers, check_living, four_brokers
from tests.crash.sizes import seeded, size
from tests.faults.serving import grant, pull_members
from tests.faults.test_kill import check_endings
from tests.world import letters

RACES = size(120, 5000)
LANES = 5
AT_ONCE = 2
"""Exchanges that race each withdrawal; a consent has three uses."""


async def test_a_withdrawal_is_obeyed_by_every_process(tmp_path: Path, fleet: Fleet) -> None:
    chance = seeded()
    async with four_brokers(tmp_path, fleet, "broker.db", chance) as brokers:
        centre = brokers.centre()
        people = [await brokers.phone(person) for person in (XU, LIN, UNMARRIED, NO_HOME, TWO_HOMES)[:LANES]]
        seen: Counter[str] = Counter()
        lanes = [lane(brokers, centre, phone) for phone in people]
        for told in await asyncio.gather(*lanes):
            seen += told
    entries = brokers.folder.entries()
    print(f"{seen}, {len(entries)} entries")  # noqa: T201 - shown where a test fails
    assert seen.keys() <= {"200", "consent_withdrawn"}
    assert judged(entries) == RACES // LANES * LANES
    assert min(seen["200"], seen["consent_withdrawn"]) > RACES // 20, "the races were never close"
    withheld = sum(entry["event"] == "exchange.withheld" for entry in entries)
    assert withheld > RACES // 100, "no withdrawal ever came between admission and release"
    check_endings(entries)
    check_living(entries)
    assert brokers.folder.check().unfinished == 0


async def lane(brokers: Brokers, centre: RequesterClient, phone: Phone) -> Counter[str]:
    """One person's share of the races."""
    chance = brokers.chance
    seen: Counter[str] = Counter()
    for _ in range(RACES // LANES):
        consent = await grant(centre, phone)
        racing = [late(brokers, centre, consent, chance.uniform(0, 0.1)) for _ in range(AT_ONCE)]
        exchanges = asyncio.gather(*racing)
        await asyncio.sleep(chance.uniform(0, 0.12))
        withdrawn = await phone.withdraw(payload_of(consent)["jti"])
        assert withdrawn.status == 200, withdrawn.members
        next_one = await centre.exchange(**pull_members(f"next-{letters()}", consent))
        assert next_one.code == "consent_withdrawn", "the very next one got in, at another process"
        seen += Counter(reply.code or str(reply.status) for reply in await exchanges)
    return seen


async def late(brokers: Brokers, centre: RequesterClient, consent: str, seconds: float) -> Reply:
    await asyncio.sleep(seconds)
    reply = await centre.exchange(**pull_members(f"race-{letters()}", consent))
    if reply.status == 200:
        brokers.keep(reply)
    return reply


def judged(entries: list[dict[str, Any]]) -> int:
    """Each withdrawal against everything after it; how many there were."""
    ended: set[str] = set()
    parties: dict[str, dict[str, str]] = {}
    for entry in entries:
        body = entry["body"]
        if entry["event"] == "consent.withdrawn":
            ended.add(body["consent"]["jti"])
        elif entry["event"] == "exchange.admitted":
            parties[body["call"]] = {spent["party"]: spent["jti"] for spent in body["consents"]}
            assert not ended & set(parties[body["call"]].values()), "admitted after the withdrawal"
        elif entry["event"] == "exchange.released":
            for result in body["results"]:
                gone = parties[body["call"]][result["party"]] in ended
                assert not gone or result["outcome"] == "withheld", "released after the withdrawal"
    return len(ended)
