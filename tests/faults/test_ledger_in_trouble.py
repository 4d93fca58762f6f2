"""No record, no data: the ledger fails under a running broker, at admission and release, before and after a commit."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from broker.client import Reply
from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.people import XU
from tests.faults.bent_turn import Bent
from tests.faults.raw_http import logged
from tests.world import ITEMS, World, letters

HEALS_WITHIN = 10.0


@pytest.fixture(autouse=True)
def straightened(fleet: Fleet) -> Iterator[None]:
    yield
    for name in NAMES:
        fleet.set_fault(name, "none")


def bend(world: World) -> Bent:
    """Bend the running ledger's turn from here on."""
    bent, ledger = Bent(), world.broker.storage.ledger
    ledger._turn = bent(ledger._turn)
    return bent


async def healed(world: World, call: Any) -> Reply:
    """Repeat until the ledger writes again; ten seconds after the repair are promised."""
    end = time.monotonic() + HEALS_WITHIN
    while True:
        reply: Reply = await call()
        if reply.status != 503:
            return reply
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
async def test_nothing_is_asked_where_admission_was_not_recorded(world: World, fleet: Fleet, committed: bool) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone, items=ITEMS)
    calls = fleet.calls("property_registry")["count"]
    exchange, bent = f"x-{letters()}", bend(world)
    bent.fail_before, bent.fail_after = int(not committed), int(committed)
    refused = await world.pull(centre, consent, exchange=exchange)
    assert (refused.status, refused.code) == (503, "ledger_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert fleet.calls("property_registry")["count"] == calls, "a department was asked without a record"
    reply = await healed(world, lambda: world.pull(centre, consent, exchange=exchange))
    assert reply.status == 200, reply.members
    assert reply.members["uses"] == [{"party": "applicant", "use": 1, "left": 2}]
    assert world.events().count("exchange.interrupted") == int(committed)
    assert world.check_log().unfinished == 0


@pytest.mark.parametrize("committed", [False, True], ids=["before", "after"])
async def test_nothing_leaves_where_the_release_was_not_recorded(world: World, fleet: Fleet, committed: bool) -> None:
    centre, phone = await world.centre(), await world.phone(XU)
    consent = await world.grant(centre, phone, items=ITEMS)
    fleet.set_fault("property_registry", "slow", 0.4)
    exchange, bent = f"x-{letters()}", bend(world)
    running = asyncio.create_task(world.pull(centre, consent, exchange=exchange))
    await logged(world, "exchange.admitted")
    bent.fail_before, bent.fail_after = int(not committed), int(committed)
    refused = await running
    assert (refused.status, refused.code) == (503, "ledger_unavailable")
    assert "results" not in refused.members
    reply = await healed(world, lambda: world.pull(centre, consent, exchange=exchange))
    assert reply.status == 200, reply.members
    assert reply.members["uses"] == [{"party": "applicant", "use": 1, "left": 2}], "the ledger's trouble cost a use"
    told = world.events()
    assert told.count("exchange.released") == 1 + int(committed)
    assert told.count("exchange.interrupted") == int(not committed)
    assert world.check_log().unfinished == 0


async def test_readiness_says_so_and_comes_back(world: World) -> None:
    bent = bend(world)
    bent.fail_before = 10**9
    for expected in (503, 200):
        end = time.monotonic() + HEALS_WITHIN
        while True:
            async with world.http.get(f"{world.issuer}/readyz") as response:
                if response.status == expected:
                    break
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        async with world.http.get(f"{world.issuer}/healthz") as response:
            assert response.status == 200
        bent.fail_before = 0
    world.check_log()
