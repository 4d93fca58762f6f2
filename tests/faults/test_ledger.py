"""The one door alone: group commit, units that fail, clocks that go back, queues that fill."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from audit.batch import ENTRY_LIMIT, Transaction
from audit.errors import EntryTooLarge, LedgerBusy, LedgerUnavailable
from audit.events import ConfigurationLoaded, RequesterSuspended
from tests.faults.bent_turn import Bent
from tests.faults.ledger_file import LedgerFile, note, opened, state, wall_clock

CALLERS, EACH = 16, 25


def test_many_callers_share_commits_and_every_receipt_holds(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:

        def caller(number: int) -> None:
            for turn in range(EACH):
                log.acknowledged(log.ledger.record(note(f"c{number}-{turn}", 1 + turn % 3)).result(20))

        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(caller, range(CALLERS)))
        report = log.check()
        units = CALLERS * EACH
        assert len(log.rows()) == units
        assert len(log.receipts) == report.checkpoint.size > units
        assert bent.commits < units / 2, "no batches ever formed"


def test_what_queued_during_a_commit_is_one_batch(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:
        bent.hold()
        first = log.ledger.record(note("first"))
        assert bent.entered.acquire(timeout=10)
        waiting = [log.ledger.record(note(f"n{number}")) for number in range(50)]
        bent.gate.set()
        for future in (first, *waiting):
            log.acknowledged(future.result(10))
        assert bent.commits == 2
        assert log.names() == ["first", *(f"n{number}" for number in range(50))]
        log.check()


def test_a_unit_that_raises_leaves_nothing_and_disturbs_nobody(tmp_path: Path) -> None:
    bent = Bent()

    class Broken(Exception):
        pass

    def breaks(transaction: Transaction) -> None:
        transaction.append(RequesterSuspended(requester="never"))
        transaction.connection.execute(insert(state).values(name="never", index=0))
        raise Broken

    def collides(transaction: Transaction) -> None:
        transaction.append(RequesterSuspended(requester="collision"))
        for _ in range(2):
            transaction.connection.execute(insert(state).values(name="collision", index=0))

    with opened(tmp_path, bend=bent) as log:
        bent.hold()
        blocker = log.ledger.record(note("blocker"))
        assert bent.entered.acquire(timeout=10)
        before = log.ledger.record(note("before"))
        broken = [log.ledger.record(breaks), log.ledger.record(collides)]
        after = log.ledger.record(note("after", 2))
        bent.gate.set()
        for future in (blocker, before, after):
            log.acknowledged(future.result(10))
        with pytest.raises(Broken):
            broken[0].result(10)
        with pytest.raises(Exception, match="UNIQUE"):
            broken[1].result(10)
        assert bent.commits == 2, "they were not one batch"
        assert log.names() == ["blocker", "before", "after", "after"]
        log.check()


async def test_a_cancelled_waiter_does_not_drop_its_unit(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:
        bent.hold()

        async def waiter() -> None:
            await asyncio.wrap_future(log.ledger.record(note("left behind")))

        task = asyncio.create_task(waiter())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        bent.gate.set()
        await asyncio.wrap_future(log.ledger.record(note("later")))
        assert log.names() == ["left behind", "later"]
        log.check()


def test_a_full_queue_says_so_at_once(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent, queue_limit=3) as log:
        bent.hold()
        taken = [log.ledger.record(note("taken"))]
        assert bent.entered.acquire(timeout=10)  # the writer holds it; the queue is empty again
        taken += [log.ledger.record(note(f"queued-{number}")) for number in range(3)]
        with pytest.raises(LedgerBusy):
            log.ledger.record(note("too many"))
        bent.gate.set()
        for future in taken:
            future.result(10)
        log.ledger.record(note("room again")).result(10)
        assert log.names() == ["taken", "queued-0", "queued-1", "queued-2", "room again"]
        log.check()


def test_an_entry_above_the_limit_is_its_own_callers_problem(tmp_path: Path) -> None:
    def loaded(length: int) -> Callable[[Transaction], int]:
        event = ConfigurationLoaded(catalogue_version="x" * length, catalogue="", rules="", routes="")
        return lambda transaction: transaction.append(event)

    with opened(tmp_path) as log:
        with pytest.raises(EntryTooLarge) as raised:
            log.ledger.record(loaded(ENTRY_LIMIT)).result(10)
        assert "xxx" not in str(raised.value)
        fits = log.ledger.record(loaded(ENTRY_LIMIT - 400)).result(10)
        assert fits.value == 0
        assert ENTRY_LIMIT - 400 < len(fits.receipt(0).entry) <= ENTRY_LIMIT
        assert len(log.entries()) == 1


def test_time_rises_however_the_clock_goes(tmp_path: Path) -> None:
    start = wall_clock()
    readings = [start, start - 3_600_000_000, start - 1, start, start, start + 5, start - 86_400_000_000]
    with opened(tmp_path, now=lambda: readings[0]) as log:
        seen = []
        for number in range(len(readings)):
            log.acknowledged(log.ledger.record(note(f"n{number}", 2)).result(10))
            seen.append(log.ledger.last_time)
            if len(readings) > 1:
                readings.pop(0)
        assert seen == sorted(seen)
        assert seen[0] >= start
        log.check()


def test_a_clock_set_back_before_a_restart_does_not_set_the_log_back(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.ledger.record(note("before")).result(10)
        last = log.ledger.last_time
    with opened(tmp_path, now=lambda: last - 86_400_000_000) as log:
        seen = log.ledger.record(lambda transaction: transaction.time).result(10).value
        assert seen >= last, "a clock set back revived what had expired"
        log.ledger.record(note("after")).result(10)
        log.check()


def test_closing_commits_what_has_queued_and_takes_nothing_more(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:
        bent.hold()
        queued = [log.ledger.record(note(f"n{number}")) for number in range(20)]
        closing = threading.Thread(target=log.ledger.close)
        closing.start()
        bent.gate.set()
        closing.join(20)
        assert not closing.is_alive()
        for future in queued:
            log.acknowledged(future.result(0))
        with pytest.raises(LedgerUnavailable):
            log.ledger.record(note("too late"))
        assert len(log.names()) == 20
        log.check()


def test_a_receipt_is_given_for_own_entries_only(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:
        bent.hold()
        log.ledger.record(note("blocker"))
        assert bent.entered.acquire(timeout=10)
        mine, neighbours = log.ledger.record(note("mine", 2)), log.ledger.record(note("theirs", 2))
        bent.gate.set()
        recorded, theirs = mine.result(10), neighbours.result(10)
        log.acknowledged(recorded)
        log.acknowledged(theirs)
        assert recorded.entries == range(1, 3)
        for foreign in (0, *theirs.entries, -1, 5, 10**9):
            with pytest.raises(IndexError):
                recorded.receipt(foreign)
        log.check()


def test_a_unit_without_entries_makes_no_checkpoint(tmp_path: Path) -> None:
    def silent(transaction: Transaction) -> None:
        transaction.connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS silent (x)")

    def checkpoint(log: LedgerFile) -> Any:
        with log.database.reader.begin() as connection:
            return connection.exec_driver_sql("SELECT checkpoint FROM audit_head").scalar_one()

    with opened(tmp_path) as log:
        log.ledger.record(note("one")).result(10)
        before = checkpoint(log)
        assert log.ledger.record(silent).result(10).entries == range(1, 1)
        assert checkpoint(log) == before
        with log.database.reader.begin() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM silent").scalar_one() == 0
        log.check()
