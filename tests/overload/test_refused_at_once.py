"""More exchanges than there are places, through a whole broker: who is refused, who is not, and what is left after."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from broker.client import Reply, RequesterClient
from broker.load_limits import LoadFile
from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.people import LIN, NO_HOME, UNMARRIED, XU
from tests.faults.deadlines import with_deadline
from tests.faults.serving import pull_members
from tests.world import ITEMS, World, letters, open_world

PLACES = 8
GREEDY = 6
"""So many of them one requester alone may hold."""
HALF = PLACES // 2


@pytest.fixture(autouse=True)
def straightened(fleet: Fleet) -> Iterator[None]:
    yield
    for name in NAMES:
        fleet.set_fault(name, "none")


@pytest_asyncio.fixture
async def small(tmp_path: Path, fleet: Fleet) -> AsyncIterator[World]:
    """A world of eight places, whose departments may take as long as a test needs."""
    patient = with_deadline(fleet, tmp_path / "patient", 60)
    async with open_world(
        tmp_path, patient, change=lambda settings: replace(settings, load=LoadFile(exchanges=PLACES))
    ) as world:
        yield world


async def consents(world: World, centre: RequesterClient) -> list[str]:
    """One for each of twelve exchanges."""
    people = (XU, LIN, UNMARRIED, NO_HOME)
    phones = [await world.phone(person) for person in people]
    return [await world.grant(centre, phone, items=ITEMS) for phone in phones for _ in range(3)]


def asking(centre: RequesterClient, consent: str, item: str) -> "asyncio.Task[Reply]":
    members: dict[str, Any] = pull_members(f"many-{letters()}", consent)
    return asyncio.create_task(centre.exchange(**members, items=[{"party": "applicant", "item": item}]))


async def taken(world: World, number: int) -> None:
    """Wait until so many places are taken, and their exchanges wait for departments."""
    async with asyncio.timeout(30):
        while world.broker.path.places.taken != number or world.events().count("exchange.admitted") < number:  # noqa: ASYNC110 - at a server
            await asyncio.sleep(0.01)


def hang(fleet: Fleet, fault: str = "hang") -> None:
    for name in ("property_registry", "beijing_fund"):
        fleet.set_fault(name, fault)


def spread(centre: RequesterClient, granted: list[str]) -> list["asyncio.Task[Reply]"]:
    """Exchanges that wait for two departments in turn, so that neither is crowded."""
    items = (ITEMS[0], ITEMS[3])
    return [asking(centre, consent, items[number % 2]) for number, consent in enumerate(granted)]


async def test_the_rest_is_refused_while_the_accepted_are_under_way(small: World, fleet: Fleet) -> None:
    centre, other, third = await small.centre(), await small.centre("other"), await small.centre("third")
    mine = await consents(small, centre)
    theirs = [await small.grant(who, await small.phone(XU), items=ITEMS) for who in (other, other, third)]
    hang(fleet)
    accepted = spread(centre, mine[:GREEDY])
    await taken(small, GREEDY)
    before = small.events()

    for reply in await asyncio.gather(*spread(centre, mine[GREEDY:])):
        refused(reply, 429, "rate_limited")
    accepted += spread(other, theirs[:2])  # though the first would take them all, if it might
    await taken(small, PLACES)
    refused(await asking(third, theirs[2], ITEMS[0]), 503, "busy")
    assert not any(task.done() for task in accepted), "the accepted were answered too soon to prove anything"
    assert Counter(small.events()) - Counter(before) == {"exchange.admitted": 2}, "a refusal left something behind"

    hang(fleet, "none")
    replies = await asyncio.gather(*accepted)
    assert [reply.status for reply in replies] == [200] * PLACES
    small.receipts += [reply.members["receipt"] for reply in replies]
    again = await asyncio.gather(*spread(centre, mine[GREEDY : 2 * GREEDY]), asking(third, theirs[2], ITEMS[0]))
    assert {reply.status for reply in again} == {200}, "it did not come back to normal"
    assert [reply.members["uses"][0]["use"] for reply in again] == [1] * len(again), "a refusal cost a use"
    assert small.broker.path.places.taken == 0
    assert small.check_log().unfinished == 0
    async with small.http.get(f"{small.issuer}/metrics") as response:
        told = await response.text()
    assert f'broker_refusals_total{{code="rate_limited"}} {float(len(mine) - GREEDY)}' in told
    assert "broker_exchanges_under_way 0.0" in told


async def test_a_name_that_is_not_ones_own_takes_nobodys_place(small: World) -> None:
    centre, forger = await small.centre(), await small.centre("forger")
    consent = await small.grant(centre, await small.phone(XU), items=ITEMS)
    forged = replace(forger, requester=centre.requester)
    with ExitStack() as held:
        for _ in range(GREEDY - 1):
            held.enter_context(small.broker.path.places.held_by(centre.requester))
        for _ in range(2 * PLACES):
            reply = await asking(forged, consent, ITEMS[0])
            assert (reply.status, reply.code) == (401, "unknown_requester")
        assert (await asking(centre, consent, ITEMS[0])).status == 200
        held.enter_context(small.broker.path.places.held_by(centre.requester))
        refused(await asking(centre, consent, ITEMS[0]), 429, "rate_limited")


async def test_a_department_that_hangs_leaves_places_for_the_others(small: World, fleet: Fleet) -> None:
    centre = await small.centre()
    first, *mine = await consents(small, centre)
    fleet.set_fault("tax", "hang")
    waiting = [asking(centre, consent, ITEMS[1]) for consent in mine[:HALF]]
    await taken(small, HALF)
    crowded = await centre.exchange(**pull_members(f"many-{letters()}", first))
    assert {result["item"]: result["outcome"] for result in crowded.members["results"]} == {
        "real_estate_registration": "found",
        "deed_tax": "department_down",
        "marriage_check_single": "not_decidable",
        "hpf_remote_account": "found",
    }
    assert not any(task.done() for task in waiting)
    fleet.set_fault("tax", "none")
    assert {reply.status for reply in await asyncio.gather(*waiting)} == {200}
    assert (await small.pull(centre, first)).status == 200
    small.check_log()


def refused(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.code) == (status, code), reply.members
    assert int(reply.headers["Retry-After"]) > 0
    assert "results" not in reply.members
