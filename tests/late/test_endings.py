"""What ends a late answer: its consent, its person, its time, its department; and what only holds it back."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from audit.batch import Transaction
from broker import waiting
from broker.login import end_sessions
from broker.sqlite import SqliteDatabase
from broker.stops import start_releases, stop_releases
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import XU
from consent import tables as consent_tables
from consent.erasure import erase, find_subject
from tests.late.world import (
    BY_HAND,
    DAY,
    PUSHED,
    TICKET,
    arrived,
    collected,
    jti_of,
    kept_rows,
    left_pending,
    open_late_world,
    outcomes,
    until,
    waiting_rows,
)
from tests.world import World


@pytest.mark.parametrize("when", ["pending", "kept"])
async def test_withdrawn(world: World, late: LateFleet, when: str) -> None:
    if when == "pending":
        late.set_fault("ticket_platform", "none", seconds=60)
    centre, phone, consent, exchange = await left_pending(world, TICKET)
    if when == "kept":
        await arrived(world, exchange)
        assert kept_rows(world) == 1
    assert (await phone.withdraw(jti_of(consent))).status == 200
    assert kept_rows(world) == 0, "destroyed in the same unit of work"
    for _ in range(2):
        assert (await collected(world, centre, exchange)).code == "consent_withdrawn"
    assert waiting_rows(world) == []
    (withheld,) = [entry["body"] for entry in world.entries() if entry["event"] == "exchange.withheld"]
    assert (withheld["code"], "collects" in withheld) == ("consent_withdrawn", True)
    late.set_fault("ticket_platform", "none")
    await asyncio.sleep(1)
    assert kept_rows(world) == 0
    world.check_log()


async def test_erased_while_kept(world: World) -> None:
    centre, _, _, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    with world.broker.database.reader.begin() as connection:
        (sealed,) = connection.execute(select(consent_tables.kept.c.sealed)).scalars()

    def work(transaction: Transaction) -> None:
        subject_ref = find_subject(transaction.connection, world.broker.keys.subjects, XU.id_number)
        erase(transaction, subject_ref)
        end_sessions(transaction, subject_ref)

    await world.broker.storage.record(work)
    assert kept_rows(world) == 0
    assert (await collected(world, centre, exchange)).code == "consent_withdrawn"
    assert isinstance(world.broker.database, SqliteDatabase)
    world.broker.database.fold()
    held = b"".join(file.read_bytes() for file in (world.folder / "broker").glob("broker.db*") if file.is_file())
    assert sealed not in held
    world.check_log()


async def test_paused_it_is_kept_and_not_released(world: World) -> None:
    centre, phone, consent, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    assert (await phone.post(f"/v1/me/consents/{jti_of(consent)}/pause", {})).status == 200
    assert (await collected(world, centre, exchange)).code == "consent_paused"
    assert kept_rows(world) == 1
    assert (await phone.post(f"/v1/me/consents/{jti_of(consent)}/resume", {})).status == 200
    assert (await collected(world, centre, exchange)).status == 200
    world.check_log()


async def test_stopped_releases_hold_for_late_answers_too(world: World) -> None:
    centre, _, _, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    await world.broker.storage.record(lambda transaction: stop_releases(transaction, TICKET[0], "a mistake"))
    assert (await collected(world, centre, exchange)).code == "releases_stopped"
    await world.broker.storage.record(lambda transaction: start_releases(transaction, TICKET[0]))
    assert (await collected(world, centre, exchange)).status == 200
    world.check_log()


async def test_expired_it_is_destroyed(world: World) -> None:
    centre, _, _, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    world.clock.advance(31 * DAY)
    assert (await collected(world, centre, exchange)).code == "consent_expired"
    assert (kept_rows(world), waiting_rows(world)) == (0, [])
    assert (await collected(world, centre, exchange)).code == "consent_expired"
    world.check_log()


async def test_kept_for_seventy_two_hours_and_then_asked_anew_under_the_same_use(world: World, late: LateFleet) -> None:
    centre, _, consent, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    world.clock.advance(3 * DAY + 5)
    assert (await collected(world, centre, exchange)).code == "not_found"
    await world.broker.storage.record(waiting.clear)
    assert (kept_rows(world), waiting_rows(world)) == (0, [])
    before = late.calls("ticket_platform")
    again = await world.pull(centre, consent, exchange=exchange)
    assert (again.status, again.members["uses"][0]["use"]) == (202, 1)
    assert late.calls("ticket_platform") > before
    await arrived(world, exchange)
    assert (await collected(world, centre, exchange)).status == 200
    world.check_log()


async def test_given_up_after_its_time_and_asked_anew_by_a_repeat(world: World, late: LateFleet) -> None:
    late.set_fault("ticket_platform", "never")
    late.set_fault("pushing_office", "never")
    centre, _, consent, exchange = await left_pending(world, TICKET + PUSHED)
    world.clock.advance(DAY + 5)
    await arrived(world, exchange, 2)
    reply = await collected(world, centre, exchange)
    assert (reply.status, set(outcomes(reply).values())) == (200, {"timeout"})
    (released,) = [entry["body"] for entry in world.entries() if "collects" in entry["body"]]
    assert {one["raw_code"] for one in released["results"]} == {"gave_up"}
    assert waiting_rows(world) == []
    again = await world.pull(centre, consent, exchange=exchange)
    assert (again.status, again.members["uses"][0]["use"]) == (202, 1)
    world.check_log()


async def test_the_department_that_says_it_never_will(world: World, late: LateFleet) -> None:
    late.set_fault("ticket_platform", "said_never")
    centre, _, _, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    reply = await collected(world, centre, exchange)
    assert (reply.status, outcomes(reply)) == (200, dict.fromkeys(TICKET, "timeout"))
    world.check_log()


@pytest.mark.parametrize("fault", ["500", "truncated", "huge"])
async def test_in_trouble_for_a_while_loses_no_ticket(world: World, late: LateFleet, fault: str) -> None:
    """A reply that nobody could read says as little about the ticket as none: the department still has its answer."""
    late.set_fault("ticket_platform", "held")
    centre, _, _, exchange = await left_pending(world, TICKET)
    late.set_fault("ticket_platform", fault)

    async def put_off() -> bool:
        return any(row.next_at > row.leased_until + 30 > 30 for row in waiting_rows(world)) or any(
            row.next_at - world.broker.now() > 30 for row in waiting_rows(world)
        )

    await until(put_off)
    late.set_fault("ticket_platform", "none")
    world.clock.advance(61)
    await arrived(world, exchange)
    assert outcomes(await collected(world, centre, exchange)) == dict.fromkeys(TICKET, "found")
    world.check_log()


async def test_a_damaged_file_is_all_that_will_come(tmp_path: Path, fleet: Fleet, late: LateFleet) -> None:
    late.set_fault("nightly_files", "truncated")
    async with open_late_world(tmp_path, fleet, late, "tax-files-folder") as world:
        centre, _, _, exchange = await left_pending(world, BY_HAND)
        await arrived(world, exchange)
        reply = await collected(world, centre, exchange)
        assert (reply.status, outcomes(reply)) == (200, dict.fromkeys(BY_HAND, "garbled"))
        world.check_log()
