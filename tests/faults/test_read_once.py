"""What stands is read once for the exchanges of a commit, and anew once anything in between may have changed it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from audit.batch import Transaction
from broker import requesters, stops
from broker.client import Reply, RequesterClient
from connectors.departments.people import LIN, XU
from tests.world import ITEMS, World


async def in_one_commit(
    world: World, centre: RequesterClient, consents: tuple[str, str], between: Callable[[Transaction], Any]
) -> list[Reply]:
    """Two exchanges with a unit of work between their admissions, all queued while the writer is held."""
    ledger, may, holding = world.broker.storage.ledger, threading.Event(), threading.Event()

    def hold(_: Transaction) -> None:
        holding.set()
        may.wait(20)

    held = ledger.record(hold)
    assert await asyncio.to_thread(holding.wait, 20)
    one = asyncio.create_task(world.pull(centre, consents[0]))
    await queued(world, 1)
    changed = ledger.record(between)
    two = asyncio.create_task(world.pull(centre, consents[1]))
    await queued(world, 3)
    may.set()
    await asyncio.gather(*map(asyncio.wrap_future, (held, changed)))
    return list(await asyncio.gather(one, two))


async def queued(world: World, count: int) -> None:
    """Wait until so many units wait for the writer."""
    async with asyncio.timeout(20):
        while len(world.broker.storage.ledger._queue) < count:  # noqa: ASYNC110 - the queue tells nobody
            await asyncio.sleep(0.005)


def suspend(transaction: Transaction) -> None:
    requesters.suspend(transaction, "yz-hpf")


def stop_everything(transaction: Transaction) -> None:
    stops.stop_releases(transaction, "", "演练")


def fail(transaction: Transaction) -> None:
    requesters.suspend(transaction, "yz-hpf")
    raise RuntimeError


@pytest.mark.parametrize(
    ("between", "codes"),
    [(suspend, {"requester_suspended"}), (stop_everything, {"releases_stopped"}), (lambda _: None, {None})],
)
async def test_what_changed_between_two_admissions_of_one_commit(
    world: World, between: Callable[[Transaction], Any], codes: set[str | None]
) -> None:
    """The first is admitted before the change; at its release, in a later commit, it meets the change too."""
    centre = await world.centre()
    consents = (await world.grant(centre, await world.phone(XU)), await world.grant(centre, await world.phone(LIN)))
    replies = await in_one_commit(world, centre, consents, between)
    assert {reply.code if reply.status != 200 else None for reply in replies} == codes
    told = [event for event in world.events() if event.startswith("exchange.")]
    admitted = 2 if codes == {None} else 1
    assert told.count("exchange.admitted") == admitted, "the second was admitted by what the first had read"
    world.check_log()


async def test_what_a_unit_changed_and_took_back_is_not_remembered(world: World) -> None:
    centre = await world.centre()
    consents = (await world.grant(centre, await world.phone(XU)), await world.grant(centre, await world.phone(LIN)))
    with pytest.raises(RuntimeError):
        await in_one_commit(world, centre, consents, fail)
    third = await world.grant(centre, world.phones[0])
    assert (await world.pull(centre, third)).status == 200
    assert len(ITEMS) * 2 <= sum(len(entry["body"].get("results", ())) for entry in world.entries())
