"""Many at once: uses never exceed, a token counts once, withdrawal bites by ledger index, hanging up stops nothing."""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from broker.client import Reply
from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.people import LIN, XU
from consent.grants import payload_of
from tests.faults.raw_http import logged, request
from tests.world import ITEMS, OPERATOR, World, letters

AT_ONCE = 50
ROUNDS = 12


@pytest.fixture(autouse=True)
def straightened(fleet: Fleet) -> Iterator[None]:
    yield
    for name in NAMES:
        fleet.set_fault(name, "none")


def members(consent: str, **changed: Any) -> dict[str, Any]:
    known = {"matter": "purchase_withdrawal", "case": "YZ-2026-000123", "operator": OPERATOR}
    return {"exchange": f"race-{letters()}", "consents": [consent]} | known | changed


def codes(replies: list[Reply]) -> Counter[str]:
    return Counter(reply.code or str(reply.status) for reply in replies)


async def test_fifty_exchanges_at_once_take_the_three_uses_there_are(each_world: World) -> None:
    world = each_world
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone, items=ITEMS)
    replies = await asyncio.gather(*(centre.exchange(**members(consent)) for _ in range(AT_ONCE)))
    assert codes(replies) == {"200": 3, "consent_used_up": AT_ONCE - 3}
    uses = sorted(reply.members["uses"][0]["use"] for reply in replies if reply.status == 200)
    assert uses == [1, 2, 3]
    assert Counter(world.events())["exchange.admitted"] == 3
    world.check_log()


async def test_one_token_fifty_times_at_once_counts_once(each_world: World) -> None:
    world = each_world
    centre, phone = await world.centre(), await world.phone(XU)
    token = centre.sign("exchange-request+jwt", members(await world.grant(centre, phone, items=ITEMS)))
    replies = await asyncio.gather(*(centre.send("/v1/exchanges", token) for _ in range(AT_ONCE)))
    assert codes(replies) == {"200": 1, "replayed": AT_ONCE - 1}
    told = Counter(world.events())
    assert (told["exchange.admitted"], told["exchange.released"], told["exchange.refused"]) == (1, 1, 0)
    world.check_log()


async def test_a_reads_token_and_a_filing_count_once_too(world: World) -> None:
    centre = await world.centre()
    subject = {"name": XU.name, "id_number": XU.id_number}
    filing = centre.sign(
        "authorization-request+jwt", {"matter": "purchase_withdrawal", "case": "YZ-2026-000123", "subject": subject}
    )
    replies = await asyncio.gather(*(centre.send("/v1/authorization-requests", filing) for _ in range(AT_ONCE)))
    assert codes(replies) == {"201": 1, "replayed": AT_ONCE - 1}
    world.check_log()


async def test_the_same_exchange_twice_at_once_runs_once(world: World, fleet: Fleet) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone, items=ITEMS)
    fleet.set_fault("property_registry", "slow", 0.4)
    before = fleet.calls("property_registry")["count"]
    same = members(consent)
    replies = await asyncio.gather(*(centre.exchange(**same) for _ in range(8)))
    assert codes(replies) == {"200": 1, "exchange_running": 7}
    assert fleet.calls("property_registry")["count"] == before + 1
    refused = next(reply for reply in replies if reply.status == 409)
    assert int(refused.headers["Retry-After"]) > 0
    again = await centre.exchange(**same)
    assert again.members["uses"] == [{"party": "applicant", "use": 1, "left": 2}]
    world.check_log()


async def test_a_withdrawal_is_judged_by_ledger_index(each_world: World, fleet: Fleet) -> None:
    world = each_world
    seed = time.time_ns()
    sys.stdout.write(f"seed {seed}" + "\n")
    chance = random.Random(seed)
    centre, phone = await world.centre(), await world.phone(XU)
    seen: Counter[str] = Counter()
    fleet.set_fault("property_registry", "slow", 0.06)
    whole = await exchange_seconds(world, centre, await world.grant(centre, phone, items=ITEMS))
    for _ in range(ROUNDS):
        consent = await world.grant(centre, phone, items=ITEMS)
        jti = payload_of(consent)["jti"]
        racing = [asyncio.create_task(late(chance.uniform(0, whole), world, centre, consent)) for _ in range(3)]
        await asyncio.sleep(chance.uniform(0, 2 * whole))
        withdrawn = await phone.withdraw(jti)
        assert withdrawn.status == 200, withdrawn.members
        assert (await centre.exchange(**members(consent))).code == "consent_withdrawn", "the very next one got in"
        seen += codes(await asyncio.gather(*racing))
        judge(world, jti)
    assert seen.keys() <= {"200", "consent_withdrawn"}
    assert min(seen["200"], Counter(world.events())["exchange.withheld"]) > 0, f"no race was ever close: {seen}"
    world.check_log()


async def exchange_seconds(world: World, centre: Any, consent: str) -> float:
    """How long one takes on this machine now: races are set within it, so that they are close on a busy one too."""
    began = time.monotonic()
    assert (await world.pull(centre, consent)).status == 200
    return time.monotonic() - began


async def late(seconds: float, world: World, centre: Any, consent: str) -> Reply:
    await asyncio.sleep(seconds)
    reply: Reply = await centre.exchange(**members(consent))
    if reply.status == 200:
        world.receipts.append(reply.members["receipt"])
    return reply


def judge(world: World, jti: str) -> None:
    """After `consent.withdrawn` nothing of this consent is admitted, and nothing of it is released."""
    entries = world.entries()
    end = next(e["index"] for e in entries if e["event"] == "consent.withdrawn" and e["body"]["consent"]["jti"] == jti)
    mine = {
        entry["body"]["call"]
        for entry in entries
        if entry["event"] == "exchange.admitted" and jti in {one["jti"] for one in entry["body"]["consents"]}
    }
    for entry in entries[end:]:
        if entry["event"] == "exchange.admitted":
            assert entry["body"]["call"] not in mine
        if entry["event"] == "exchange.released" and entry["body"]["call"] in mine:
            assert {result["outcome"] for result in entry["body"]["results"]} == {"withheld"}


async def test_one_persons_withdrawal_leaves_the_others_items(world: World, fleet: Fleet) -> None:
    centre = await world.centre()
    his, hers = await world.phone(XU), await world.phone(LIN)
    consents = [await world.grant(centre, his), await world.grant(centre, hers, party="spouse")]
    fleet.set_fault("property_registry", "slow", 0.8)
    running = asyncio.create_task(world.pull(centre, *consents))
    await logged(world, "exchange.admitted")
    assert (await hers.withdraw(payload_of(consents[1])["jti"])).status == 200
    reply = await running
    assert reply.status == 200, reply.members
    for result in reply.members["results"]:
        if result["party"] == "spouse":
            assert (result["outcome"], result["records"]) == ("withheld", [])
        else:
            assert result["outcome"] in {"found", "not_decidable"}
    world.check_log()


async def test_a_client_that_hangs_up_stops_nothing(world: World, fleet: Fleet) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone, items=ITEMS)
    fleet.set_fault("property_registry", "slow", 0.3)
    same = members(consent)
    token = centre.sign("exchange-request+jwt", same)
    _, writer = await asyncio.open_connection("127.0.0.1", int(world.issuer.rsplit(":", 1)[1]))
    writer.write(request("POST", "/v1/exchanges", body=token.encode(), headers={"Content-Type": "application/jwt"}))
    await writer.drain()
    await logged(world, "exchange.admitted")
    writer.transport.abort()
    await logged(world, "exchange.released")
    again = await world.pull(centre, consent, exchange=same["exchange"])
    assert again.members["uses"] == [{"party": "applicant", "use": 1, "left": 2}], "hanging up cost a use"
    world.check_log()
