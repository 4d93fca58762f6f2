"""One department's trouble is its own: through the whole broker, its item says what happened, the rest is delivered."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from broker.client import Reply, RequesterClient
from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.people import UNMARRIED, XU
from tests.faults.deadlines import with_deadline
from tests.world import ITEMS, World, open_world

DEADLINE = 0.9
"""Seconds, instead of the shipped routes' 3: the same code in less time."""
DEPARTMENT = dict(zip(ITEMS, NAMES, strict=True))
HEALTHY = {
    "real_estate_registration": "found",
    "deed_tax": "found",
    "marriage_check_single": "not_decidable",
    "hpf_remote_account": "found",
}
TROUBLE: Mapping[str, set[str]] = {
    "down": {"department_down"},
    "500": {"department_down"},
    "slow": {"timeout"},
    "hang": {"timeout"},
    "garbled": {"garbled"},
    "html": {"garbled"},
    "truncated": {"garbled"},
    "huge": {"garbled"},
    "wrong_person": {"garbled"},
    "no_record": {"no_record", "not_decidable"},
}


@pytest.fixture(autouse=True)
def straightened(fleet: Fleet) -> Iterator[None]:
    yield
    for name in NAMES:
        fleet.set_fault(name, "none")


@pytest_asyncio.fixture
async def hasty(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    """A world whose routes give each department less time."""
    async with open_world(tmp_path, with_deadline(fleet, tmp_path / "hasty", DEADLINE)) as world:
        yield world


def outcomes(reply: Reply) -> dict[str, str]:
    assert reply.status == 200, reply.members
    return {result["item"]: result["outcome"] for result in reply.members["results"]}


def recorded(world: World) -> dict[str, str]:
    """The newest release's outcomes, as the log has them."""
    released = [entry["body"] for entry in world.entries() if entry["event"] == "exchange.released"][-1]
    return {result["item"]: result["outcome"] for result in released["results"]}


@pytest.mark.parametrize("fault", TROUBLE)
async def test_each_departments_trouble_costs_its_own_item(hasty: World, fleet: Fleet, fault: str) -> None:
    centre, phone = await hasty.centre(), await hasty.phone(XU)
    for item, department in DEPARTMENT.items():
        consent = await hasty.grant(centre, phone, items=ITEMS)
        fleet.set_fault(department, fault, 5)
        began = time.monotonic()
        reply = await hasty.pull(centre, consent)
        took = time.monotonic() - began
        fleet.set_fault(department, "none")
        seen = outcomes(reply)
        assert seen.pop(item) in TROUBLE[fault]
        assert seen == {name: outcome for name, outcome in HEALTHY.items() if name != item}
        assert took < DEADLINE + 5
        (result,) = [one for one in reply.members["results"] if one["item"] == item]
        assert result["records"] == []
        assert recorded(hasty) == outcomes(reply)
    hasty.check_log()


async def test_a_record_of_somebody_else_never_leaves(hasty: World, fleet: Fleet) -> None:
    centre, phone = await hasty.centre(), await hasty.phone(XU)
    for name in NAMES:
        fleet.set_fault(name, "wrong_person")
    reply = await hasty.pull(centre, await hasty.grant(centre, phone, items=ITEMS))
    assert set(outcomes(reply).values()) == {"garbled"}
    told = str(reply.members) + str(hasty.entries()) + hasty.log.getvalue()
    assert UNMARRIED.name not in told
    assert UNMARRIED.id_number not in told
    hasty.check_log()


async def test_a_hanging_department_does_not_slow_the_others(world: World, fleet: Fleet) -> None:
    """Also with every place of the hanging one taken, and more waiting for a place."""
    centre, phone = await world.centre(), await world.phone(XU)
    consents = [await world.grant(centre, phone, items=ITEMS) for _ in range(5)]
    only = [{"party": "applicant", "item": item} for item in ITEMS if item != "deed_tax"]
    await world.pull(centre, consents[-1], items=only)
    fleet.set_fault("tax", "hang")
    waiting = [asyncio.create_task(world.pull(centre, consent)) for consent in consents[:4] for _ in range(3)]
    await asyncio.sleep(0.2)
    took = await seconds(world, centre, consents[-1], only)
    assert not any(task.done() for task in waiting)
    assert took < 2.5, "the shipped deadline, which those behind the hanging one wait for, is three"
    for reply in await asyncio.gather(*waiting):
        assert outcomes(reply) == HEALTHY | {"deed_tax": "timeout"}
    world.check_log()


async def seconds(world: World, centre: RequesterClient, consent: str, items: list[dict[str, str]]) -> float:
    began = time.monotonic()
    assert set(outcomes(await world.pull(centre, consent, items=items)).values()) <= {"found", "not_decidable"}
    return time.monotonic() - began


async def test_everything_down_is_still_an_answer(hasty: World, fleet: Fleet) -> None:
    centre, phone = await hasty.centre(), await hasty.phone(XU)
    consent = await hasty.grant(centre, phone, items=ITEMS)
    for name in NAMES:
        fleet.set_fault(name, "down")
    reply = await hasty.pull(centre, consent)
    assert set(outcomes(reply).values()) == {"department_down"}
    hasty.check_log()


async def test_trouble_may_be_asked_again_and_answers_three_times(hasty: World, fleet: Fleet) -> None:
    centre, phone = await hasty.centre(), await hasty.phone(XU)
    consent = await hasty.grant(centre, phone, items=ITEMS)

    async def again() -> Reply:
        return await pull_now(hasty, centre, consent, "again-and-again")

    fleet.set_fault("property_registry", "down")
    for _ in range(4):  # the first answer, and three more within ten minutes
        assert outcomes(await again()) == HEALTHY | {"real_estate_registration": "department_down"}
    before = fleet.calls("civil_affairs")["count"]
    assert outcomes(await again()) == {"real_estate_registration": "department_down"}
    assert fleet.calls("civil_affairs")["count"] == before, "a department was asked for what may not be asked again"
    fleet.set_fault("property_registry", "none")
    for _ in range(4):
        assert outcomes(await again()) == {"real_estate_registration": "found"}
    last = await again()
    assert (last.status, last.code) == (409, "consent_used_up")
    (mine,) = (await phone.get("/v1/me/consents")).members["consents"]
    assert mine["left"] == 2, "a repeat is the same use"
    hasty.check_log()


async def test_after_ten_minutes_only_trouble_may_be_asked_again(hasty: World, fleet: Fleet) -> None:
    centre, phone = await hasty.centre(), await hasty.phone(XU)
    consent = await hasty.grant(centre, phone, items=ITEMS)
    fleet.set_fault("tax", "down")
    expected = HEALTHY | {"deed_tax": "department_down"}
    assert outcomes(await pull_now(hasty, centre, consent, "ten-minutes")) == expected
    hasty.clock.advance(9 * 60)
    assert outcomes(await pull_now(hasty, centre, consent, "ten-minutes")) == expected
    hasty.clock.advance(61 + 60)
    assert outcomes(await pull_now(hasty, centre, consent, "ten-minutes")) == {"deed_tax": "department_down"}
    hasty.clock.advance(24 * 3600)
    fleet.set_fault("tax", "none")
    assert outcomes(await pull_now(hasty, centre, consent, "ten-minutes")) == {"deed_tax": "found"}
    assert (await pull_now(hasty, centre, consent, "ten-minutes")).code == "consent_used_up"
    fleet.set_fault("tax", "down")
    hasty.clock.advance(40 * 24 * 3600)
    assert (await pull_now(hasty, centre, consent, "ten-minutes")).code in {"consent_expired", "consent_used_up"}
    hasty.check_log()


async def pull_now(world: World, centre: RequesterClient, consent: str, exchange: str, **members: Any) -> Reply:
    """As World.pull, signed by the world's own clock."""
    now = world.clock() // 1_000_000
    return await world.pull(centre, consent, exchange=exchange, iat=now, exp=now + 60, **members)
