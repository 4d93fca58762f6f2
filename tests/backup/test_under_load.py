"""Taken while others write: whatever was acknowledged before it began is in it, and nobody had to wait for it."""

import threading
from pathlib import Path
from typing import Self

import pytest

from broker import sqlite
from tests.backup.house import House, suspended

WRITERS = 3
BEFORE = 40
"""Acknowledged before the backup begins."""


class Writers:
    """Threads that append for as long as the block lasts, and every receipt they were given."""

    def __init__(self, house: House) -> None:
        self._house, self._end, self._failed = house, threading.Event(), False
        self._enough = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        for _ in range(BEFORE):
            assert self._enough.acquire(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)
        assert not self._failed

    def _write(self, number: int) -> None:
        with self._house.running() as running:
            while not self._end.is_set():
                recorded = running.storage.ledger.record(suspended(f"writer-{number}")).result(30)
                self._house.receipts += [recorded.receipt(index) for index in recorded.entries]
                self._enough.release()


def test_nothing_acknowledged_before_it_is_lost(house: House, backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "FOLD_ABOVE", 64 * 1024)  # the write-ahead log is folded in beside it, again and again
    with Writers(house):
        for number in range(20):  # a busy machine may let nobody write for as long as one takes
            promised = list(house.receipts)
            made = house.back_up(backups / f"{number}.tar")
            if len(house.receipts) > len(promised):
                break
        else:
            raise AssertionError("the writers stood still")
    assert made.manifest.size > len(promised) > 0
    house.hold_receipts()
    house.lose_database()
    house.settings.anchor.unlink()
    house.restore(made.file, newest=True)
    house.receipts = promised
    house.hold_receipts()
    house.check_log()
