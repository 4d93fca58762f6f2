"""Late answers are waited for, kept under the person's key, collected, and read by nobody meanwhile."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from broker import repeats, waiting
from broker.connector_memory import StoredMemory
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import XU
from tests.late.world import (
    BY_HAND,
    DAY,
    LATE,
    PUSHED,
    STAFF,
    TICKET,
    Hand,
    arrived,
    collected,
    granted,
    kept_rows,
    left_pending,
    open_late_world,
    outcomes,
    waiting_rows,
)
from tests.world import World, letters


@pytest.mark.parametrize("store", ["broker.db", "postgresql"])
async def test_late_answers_of_every_manner_are_collected(
    tmp_path: Path, fleet: Fleet, late: LateFleet, store: str, request: pytest.FixtureRequest
) -> None:
    database = str(request.getfixturevalue("postgresql_url")) if store == "postgresql" else store
    late.set_fault("ticket_platform", "none", seconds=1)
    async with open_late_world(tmp_path, fleet, late, database=database) as world:
        centre, phone = await world.centre(), await world.phone()
        married = {"item": "marriage_check_single", "expect": {"marital_status": "20"}}
        items = [*({"item": name} for name in LATE), married]
        consent = await granted(world, centre, phone, items)
        exchange = f"late-{letters()}"
        first = await world.pull(centre, consent, exchange=exchange)
        assert first.status == 202
        assert outcomes(first) == dict.fromkeys(LATE, "pending") | {"marriage_check_single": "match"}
        assert all(not result["records"] for result in first.members["results"])

        hand = Hand(world)
        await hand.enter()
        page = await hand.page()
        assert XU.id_number in page
        assert exchange not in page
        (question,) = [row.question for row in waiting_rows(world) if row.item == "deed_tax"]
        assert await hand.answer(question) == 303
        assert XU.id_number not in await hand.page()
        await arrived(world, exchange, 3)

        second = await collected(world, centre, exchange, wait=25)
        assert second.status == 200, second.members
        assert outcomes(second) == dict.fromkeys(LATE, "found")
        assert second.members["uses"] == first.members["uses"]
        by_item = {result["item"]: result for result in second.members["results"]}
        assert by_item["deed_tax"]["records"][0]["paid_amount"] == 1234500
        assert by_item["hpf_remote_account"]["source"]["route"] == "pushing-office"

        released = [entry for entry in world.entries() if entry["event"] == "exchange.released"]
        assert [entry["body"].get("collects") for entry in released] == [None, released[0]["index"]]
        assert len({entry["body"]["call"] for entry in released}) == 1
        by_hand = {one["item"]: one.get("answered_by") for one in released[1]["body"]["results"]}
        assert by_hand == {"deed_tax": STAFF, "hpf_remote_account": None, "real_estate_registration": None}
        (access, *_) = (await phone.get("/v1/me/accesses")).members["accesses"]
        shown = {item["item"]: item["outcome"] for item in access["items"]}
        assert shown == dict.fromkeys(LATE, "found")
        told = await centre.tell(exchange, event="viewed", operator={"id": "clerk-07", "desk": "3号窗口"})
        assert told.status == 201
        assert world.check_log().unfinished == 0


async def test_while_nothing_has_come_it_is_pending_and_recorded(world: World, late: LateFleet) -> None:
    late.set_fault("ticket_platform", "never")
    centre, phone, _, exchange = await left_pending(world, TICKET)
    began = time.monotonic()
    reply = await collected(world, centre, exchange, wait=1)
    assert (reply.status, outcomes(reply)) == (202, dict.fromkeys(TICKET, "pending"))
    assert time.monotonic() - began >= 0.9
    assert world.events().count("exchange.released") == 2
    accesses = (await phone.get("/v1/me/accesses")).members["accesses"]
    assert len(accesses) == 1, "a look in vain stands in the log, but is no access to read about"
    late.set_fault("ticket_platform", "none")
    reply = await collected(world, centre, exchange, wait=25)
    assert (reply.status, outcomes(reply)) == (200, dict.fromkeys(TICKET, "found"))
    world.check_log()


async def test_a_final_late_answer_may_be_collected_again_within_the_bounds_of_a_repeat(world: World) -> None:
    centre, _, _, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    for _ in range(4):
        reply = await collected(world, centre, exchange)
        assert (reply.status, reply.members["uses"][0]["use"]) == (200, 1)
    assert (await collected(world, centre, exchange)).code == "consent_used_up"
    await world.broker.storage.record(waiting.clear)
    assert (kept_rows(world), waiting_rows(world)) == (0, [])
    assert (await collected(world, centre, exchange)).code == "consent_used_up"
    world.check_log()


async def test_after_ten_minutes_it_is_over(world: World) -> None:
    centre, _, _, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    assert (await collected(world, centre, exchange)).status == 200
    world.clock.advance(repeats.AGAIN_WITHIN + 5)
    assert (await collected(world, centre, exchange)).code == "consent_used_up"
    world.check_log()


async def test_nobody_else_collects(world: World) -> None:
    _, _, _, exchange = await left_pending(world, TICKET)
    await arrived(world, exchange)
    other = await world.centre("nj-hpf")
    for asked in (exchange, "late-never-heard-of"):
        assert (await collected(world, other, asked)).code == "not_found"
    async with world.http.get(f"{world.issuer}/v1/exchanges/{exchange}") as response:
        assert response.status == 401
    assert world.events().count("exchange.released") == 1


async def test_what_is_kept_can_be_read_nowhere(world: World) -> None:
    """No value in clear in the database's files, the ledger or the log, while all three are kept and after."""
    centre, _, _, exchange = await left_pending(world, list(LATE))
    hand = Hand(world)
    await hand.enter()
    (question,) = [row.question for row in waiting_rows(world) if row.item == "deed_tax"]
    assert await hand.answer(question) == 303
    await arrived(world, exchange, 3)
    values = ("文昌示例路88号", "0012345号", "110000000017", "28650000", "123450000", "1234500", XU.id_number, XU.name)

    def found() -> list[str]:
        files = [file for file in (world.folder / "broker").glob("broker.db*") if file.is_file()]
        held = b"".join(file.read_bytes() for file in files) + world.log.getvalue().encode()
        held += json.dumps(world.entries(), ensure_ascii=False).encode()
        return [value for value in values if value.encode() in held]

    assert kept_rows(world) == 3
    assert found() == []
    assert (await collected(world, centre, exchange)).status == 200
    assert found() == []
    world.check_log()


async def test_one_process_at_a_time_and_a_dead_one_s_claim_runs_out(world: World, late: LateFleet) -> None:
    late.set_fault("pushing_office", "never")
    await left_pending(world, PUSHED)
    storage = world.broker.storage
    (asked,) = await storage.read(lambda connection: waiting.of_department(connection, "hpf_center_remote"))
    assert (await storage.record(lambda transaction: waiting.claim(transaction, asked, 5))).value
    assert not (await storage.record(lambda transaction: waiting.claim(transaction, asked, 5))).value
    world.clock.advance(DAY - 60)
    (left,) = await storage.read(lambda connection: waiting.of_department(connection, "hpf_center_remote"))
    assert (await storage.record(lambda transaction: waiting.claim(transaction, left, 5))).value


async def test_batches_by_sftp_have_numbers_that_no_process_gives_twice(
    tmp_path: Path, fleet: Fleet, late: LateFleet
) -> None:
    async with open_late_world(tmp_path, fleet, late, "tax-files-sftp") as world:
        centre, _, _, exchange = await left_pending(world, BY_HAND)
        await arrived(world, exchange)
        reply = await collected(world, centre, exchange)
        assert (reply.status, outcomes(reply)) == (200, dict.fromkeys(BY_HAND, "found"))
        broker = world.broker
        one, other = (StoredMemory(broker.storage, broker.keys.subjects.wrapping, broker.clock) for _ in range(2))
        given = await asyncio.gather(*(who.number("tax-files-sftp", "20991231") for who in (one, other) * 10))
        assert sorted(given) == list(range(1, 21))
        world.check_log()
