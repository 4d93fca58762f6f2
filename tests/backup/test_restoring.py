"""A backup comes back whole: the newest goes on as if nothing had been, an older one only in the open."""

from pathlib import Path

import pytest

from audit.errors import LogForked
from broker.backup_record import DONE, LOST, UNSURE
from broker.backups.errors import BackupRefused
from broker.forking import accept_fork
from tests.backup.house import House


def test_the_newest_goes_on_as_if_nothing_had_been(house: House, backups: Path) -> None:
    house.grow("first")
    made = house.back_up(backups)
    house.lose_database()
    restored = house.restore(made.file)
    assert (restored.outcome, restored.lost, restored.aside) == (DONE, 0, None)
    house.grow("later")
    house.hold_receipts()
    assert house.check_log().checkpoint.size == made.manifest.size + 4
    assert house.events() == [
        *3 * ["requester.suspended"],
        "backup.begun",
        "backup.restored",
        *3 * ["requester.suspended"],
    ]


def test_an_older_one_waits_until_a_person_accepts_the_fork(house: House, backups: Path) -> None:
    house.grow("first")
    made = house.back_up(backups)
    house.grow("lost", 2)
    house.lose_database()
    restored = house.restore(made.file)
    assert (restored.outcome, restored.lost) == (LOST, 2)
    with pytest.raises(LogForked, match="accept-fork"):
        house.grow("later")
    accept_fork(house.settings, "the disk failed")
    house.grow("later", 1)
    house.check_log()
    assert house.events()[4:] == ["log.forked", "backup.restored", "releases.stopped", "requester.suspended"]
    assert house.entries()[5]["body"]["newest"] == "no"
    accepted = house.entries()[4]["body"]
    assert (accepted["size"], accepted["anchored_size"]) == (made.manifest.size, made.manifest.size + 2)


def test_without_an_anchor_nothing_is_taken_for_the_newest(small: House, backups: Path) -> None:
    small.grow("first")
    made = small.back_up(backups)
    small.lose_database()
    small.settings.anchor.unlink()
    restored = small.restore(made.file)
    assert (restored.outcome, restored.lost) == (UNSURE, None)
    with pytest.raises(LogForked, match="no anchor"):
        small.grow("later")
    assert accept_fork(small.settings, "the machine burnt").name == f"{small.settings.log_origin}/fork-1"
    small.grow("later")
    small.check_log()


def test_with_an_anchor_nobody_may_state_what_is_not_so(small: House, backups: Path) -> None:
    small.grow("first")
    made = small.back_up(backups)
    small.grow("lost", 1)
    small.lose_database()
    with pytest.raises(BackupRefused, match="the anchor knows 5 entries, not 4"):
        small.restore(made.file, newest=True)
    assert not small.file.exists()


def test_without_an_anchor_somebody_may_state_that_it_is_the_newest(small: House, backups: Path) -> None:
    small.grow("first")
    made = small.back_up(backups)
    small.lose_database()
    small.settings.anchor.unlink()
    assert small.restore(made.file, newest=True).outcome == DONE
    small.grow("later")
    small.hold_receipts()
    assert small.entries()[made.manifest.size]["body"]["newest"] == "stated"
