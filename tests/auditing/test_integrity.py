"""The whole log verified from the page: in the background, one at a time, and what was tampered with is named."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from audit import verify
from audit.events import RequesterSuspended
from broker.auditing.integrity import Integrity, Progress
from broker.staff.people import Member
from broker.staff.roles import Role
from broker.storage import Storage
from policies.refusals import Code, Refused
from tests.auditing.case import Case
from tests.staff.desk import Desk, found, sit_down
from tests.world import World

PAGE = {"Accept": "text/html"}
NOBODY = RequesterSuspended(requester="nobody")
BY = Member("a-001", "", Role.AUDITOR, "", b"", "active", "", 0)


async def verified(desk: Desk) -> dict[str, Any]:
    """Have it verified, and wait for what comes of it."""
    assert (await desk.post("/audit/integrity")).status == 303
    while (await desk.json("/audit/integrity/progress"))["running"]:  # noqa: ASYNC110 - another thread's doing
        await asyncio.sleep(0.02)
    last: dict[str, Any] = (await desk.json("/audit/integrity"))["last"]
    return last


@pytest.mark.asyncio(loop_scope="package")
async def test_a_good_log_and_who_had_it_verified(case: Case) -> None:
    before = len(case.looks("integrity"))
    told = await case.desk.json("/audit/integrity")
    assert len(case.looks("integrity")) == before + 1
    head = told["checkpoint"]
    assert verify.open_note(head["note"].encode(), head["log_key"]).size == head["size"]
    page = await case.desk.get("/audit/integrity", **PAGE)
    assert "没有外面的人见证" in page.text
    last = await verified(case.desk)
    assert (last["problems"], last["first_bad"], last["unindexed"], last["number"]) == ([], -1, 0, "a-001")
    assert last["size"] > head["size"], "the look and the start are in it"
    page = await case.desk.get("/audit/integrity", **PAGE)
    assert "通过：一条也没有改过" in page.text
    assert last["root"] in page.text
    case.world.check_log()


def tamper(world: World, *statements: str) -> None:
    """What somebody with the database does."""
    with world.broker.database.turn() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


async def test_what_was_tampered_with_is_named(world: World) -> None:
    await found(world)
    desk = await sit_down(world, "a-001")
    for _ in range(300):
        await world.broker.storage.record(lambda transaction: transaction.append(NOBODY))
    assert (await verified(desk))["problems"] == []
    tamper(world, "DELETE FROM audit_index WHERE idx IN (5, 6)", "UPDATE audit_index SET operator = 'x' WHERE idx = 7")
    last = await verified(desk)
    assert (last["problems"], last["unindexed"]) == ([], 3)
    triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entry'"
    with world.broker.database.reader.begin() as connection:
        names = connection.exec_driver_sql(triggers).scalars().all()
    changed = "UPDATE audit_entry SET body = CAST(replace(body, 'nobody', 'anyone') AS BLOB) WHERE idx = 100"
    tamper(world, *(f"DROP TRIGGER {name}" for name in names), changed)
    last = await verified(desk)
    assert "tiles" in last["problems"]
    assert last["first_bad"] == 100
    page = await desk.get("/audit/integrity?lang=en", **PAGE)
    assert "It did not verify" in page.text
    assert "first bad entry: 100" in page.text


@dataclass
class Slow:
    """A reader that waits until it may go on."""

    reader: Engine
    may: threading.Event

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        assert self.may.wait(20)
        with self.reader.begin() as connection:
            yield connection


@pytest.mark.asyncio(loop_scope="package")
async def test_one_at_a_time_and_the_server_goes_on(case: Case) -> None:
    storage, may = case.world.broker.storage, threading.Event()
    integrity = Integrity(Storage(storage.ledger, Slow(storage.reader, may)))  # type: ignore[arg-type]
    before = len(case.entries("log.verified"))
    integrity.start(BY)
    with pytest.raises(Refused) as refused:
        integrity.start(BY)
    assert refused.value.refusal.code is Code.ALREADY_DECIDED
    assert integrity.progress == Progress("a-001", 0, 0)
    assert (await case.desk.get("/audit/search?event=log.verified", **PAGE)).status == 200
    may.set()
    await asyncio.to_thread(integrity.stop)
    assert len(case.entries("log.verified")) in (before, before + 1), "stopped before it ended, or not"
