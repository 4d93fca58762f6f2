"""No backup where it would be of no use, and nothing left where it could not be finished."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from audit.errors import LogDamaged, LogForked
from broker.backups.archive import Archive
from broker.backups.errors import BackupDamaged
from tests.backup.house import House
from tests.crash.small_disk import mounted


def test_a_name_that_is_taken_is_left_alone(small: House, backups: Path) -> None:
    small.grow("first")
    taken = backups / "taken.tar"
    taken.write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        small.back_up(taken)
    assert taken.read_bytes() == b"somebody's"
    assert small.events() == 3 * ["requester.suspended"], "a copy was begun all the same"


def test_a_disk_that_fills_leaves_nothing(small: House, tmp_path: Path) -> None:
    """However far it gets: there is a little more room each time, until there is enough."""
    small.grow("first")
    with mounted(tmp_path / "disk") as disk:
        disk.fill()
        filling = disk.folder / "filling"
        full = 0
        while True:
            try:
                made = small.back_up(disk.folder)
            except OSError as error:
                assert error.errno == errno.ENOSPC, error  # noqa: PT017 - any of some, then none
            else:
                break
            assert list(disk.folder.iterdir()) == [filling]
            full += 1
            os.truncate(filling, filling.stat().st_size - 100 * 1024)
        assert full > 1
        with made.file.open("rb") as stream:
            Archive(stream, lambda _: small.vkey).check()
    small.check_log()


def test_a_broker_in_trouble_is_not_backed_up(small: House, backups: Path) -> None:
    """Its tail was changed: a copy would be of no use."""
    small.grow("first")
    with small.running() as running, running.database.turn() as connection:
        connection.exec_driver_sql("UPDATE audit_head SET last_time = last_time + 1")
    with pytest.raises(LogDamaged):
        small.back_up(backups)
    assert list(backups.iterdir()) == []


def test_a_forked_broker_is_not_backed_up(small: House, backups: Path) -> None:
    small.grow("first")
    anchor = small.settings.anchor.read_bytes()
    made = small.back_up(backups)
    small.lose_database()
    small.restore(made.file)
    small.grow("later")
    held = small.settings.anchor.read_bytes()
    assert held != anchor
    small.lose_database()
    small.settings.anchor.unlink()
    small.restore(made.file, newest=True)
    small.settings.anchor.write_bytes(held)
    with pytest.raises(LogForked):
        small.back_up(backups / "second.tar")
    assert [file for file in backups.iterdir() if file != made.file] == []


def test_damaged_pages_are_found_when_they_are_copied(small: House, backups: Path) -> None:
    """In a table that the log's own checks never read."""
    small.grow("first")
    with small.running() as running, running.database.turn() as connection:
        root = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'consent_inquiry'").scalar()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar()
    with sqlite3.connect(small.file) as folding:
        folding.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    folding.close()
    assert isinstance(root, int)
    assert isinstance(size, int)
    with small.file.open("r+b") as stream:
        stream.seek((root - 1) * size)
        stream.write(b"\xff" * 64)
    with pytest.raises(BackupDamaged, match="quick_check"):
        small.back_up(backups)
    assert list(backups.iterdir()) == []
