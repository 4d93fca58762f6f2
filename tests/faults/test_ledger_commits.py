"""Commits that fail: nothing is promised, nothing acknowledged is lost, and the ledger heals when the fault is gone."""

import threading
import time
from pathlib import Path

import pytest

from audit.errors import LedgerUnavailable
from tests.faults.bent_turn import Bent
from tests.faults.ledger_file import note, opened


@pytest.mark.parametrize("committed", [False, True], ids=["before it took effect", "after it took effect"])
def test_a_commit_that_raises_promises_nothing_and_the_ledger_goes_on(tmp_path: Path, committed: bool) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:
        log.acknowledged(log.ledger.record(note("earlier", 3)).result(10))
        bent.fail_before, bent.fail_after = int(not committed), int(committed)
        future = log.ledger.record(note("doubtful", 2))
        with pytest.raises(LedgerUnavailable):
            future.result(10)
        log.record("later", 2)
        assert log.ledger.trouble == ""
        stands = ["doubtful"] * 2 if committed else []
        assert log.names() == ["earlier"] * 3 + stands + ["later"] * 2
        log.check()


def test_commits_that_keep_failing_under_load_lose_nothing_acknowledged(tmp_path: Path) -> None:
    bent = Bent()
    acknowledged, refused = [], 0
    with opened(tmp_path, bend=bent) as log:
        for number in range(120):
            if number % 5 == 1:
                bent.fail_before = 1
            if number % 5 == 3:
                bent.fail_after = 1
            try:
                log.acknowledged(log.ledger.record(note(f"n{number}")).result(10))
                acknowledged.append(f"n{number}")
            except LedgerUnavailable:
                refused += 1
            log.record(f"between-{number}")
        logged = set(log.names())
        assert refused == 48
        assert set(acknowledged) <= logged
        assert not {f"n{number}" for number in range(120) if number % 5 == 1} & logged
        log.check()


def test_a_head_that_cannot_be_read_is_unavailable_not_a_new_log(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.acknowledged(log.ledger.record(note("kept")).result(10))
        with log.database.turn() as connection:
            connection.exec_driver_sql("ALTER TABLE audit_head RENAME TO hidden")
        with pytest.raises(LedgerUnavailable):
            log.ledger.record(note("refused")).result(10)
        with log.database.turn() as connection:
            connection.exec_driver_sql("ALTER TABLE hidden RENAME TO audit_head")
        log.record("goes on")
        assert log.names() == ["kept", "goes on"]
        log.check()


def test_in_trouble_it_refuses_at_once_and_looks_only_now_and_then(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:
        bent.fail_before = 10**9
        with pytest.raises(LedgerUnavailable):
            log.ledger.record(note("refused")).result(10)
        before, began = bent.turns, time.monotonic()
        with pytest.raises(LedgerUnavailable):
            log.ledger.record(note("refused again"))
        assert time.monotonic() - began < 1
        time.sleep(1)
        assert 1 <= bent.turns - before <= 8, "it never looks again, or does nothing else"
        bent.fail_before = 0
        log.record("healed")
        assert log.names() == ["healed"]
        log.check()


def test_closing_in_trouble_ends_and_tells_everybody(tmp_path: Path) -> None:
    bent = Bent()
    with opened(tmp_path, bend=bent) as log:
        bent.hold()
        bent.fail_before = 10**9
        futures = [log.ledger.record(note(f"n{number}")) for number in range(100)]
        closing = threading.Thread(target=log.ledger.close)
        closing.start()
        bent.gate.set()
        closing.join(20)
        assert not closing.is_alive()
        for future in futures:
            with pytest.raises(LedgerUnavailable):
                future.result(0)
        assert log.names() == []
