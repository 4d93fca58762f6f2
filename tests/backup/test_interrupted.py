"""Killed at any point, a backup leaves nothing that passes for one, a restore the old database, the new one or none."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.errors import LogForked
from broker.backups.archive import Archive
from policies.strict_yaml import ConfigurationError
from tests.backup.house import House, found
from tests.postgresql import Server

ROOT = Path(__file__).resolve().parents[2]
STEP = 5
"""Every so many-th touch of a file, where many are alike."""


class Dying:
    """Does the same thing again and again, each time further."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def at(self, number: int) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def dying(house: House, what: str, path: Path) -> Iterator[Dying]:
    command = [sys.executable, "-m", "tests.backup.interrupting", str(house.config), what, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        yield Dying(process)


def test_a_backup_is_whole_or_not_there(small: House, backups: Path) -> None:
    small.grow("first")
    kills, number = 0, 0
    with dying(small, "make", backups) as process:
        while process.at(number) == "killed":
            for file in backups.glob("*.tar"):
                with file.open("rb") as stream:
                    Archive(stream, lambda _: small.vkey).check()
                file.unlink()
            kills += 1
            number += 1
    assert kills > 8, kills
    (only,) = backups.iterdir()
    assert only.name.endswith(".broker-backup.tar"), "what killed runs had left was not cleared away"
    small.hold_receipts()


def after_kill(house: House) -> str:
    """Which database there is."""
    try:
        house.grow("goes on", 1)
    except LogForked:
        return "new"
    except ConfigurationError:
        assert not house.file.exists()
        return "none"
    return "old"


def test_a_restore_leaves_the_old_database_or_the_new_one_or_none(small: House, backups: Path, tmp_path: Path) -> None:
    small.grow("first")
    made = small.back_up(backups)
    small.grow("later")
    shutil.copytree(small.folder, tmp_path / "before")
    found: dict[int, str] = {}

    def look(process: Dying, number: int) -> bool:
        shutil.rmtree(small.folder)
        shutil.copytree(tmp_path / "before", small.folder)
        if process.at(number) == "done":
            return False
        found[number] = after_kill(small)
        if found[number] == "none":
            small.restore(made.file, force=True)  # once more, and it is there
            assert after_kill(small) == "new"
        return True

    with dying(small, "restore", made.file) as process:
        number = 0
        while look(process, number):
            number += STEP
        assert after_kill(small) == "new"
        assert not list(small.folder.glob(".broker-backup-*"))
        for between in range(max(at for at in found if found[at] == "old") + 1, number):  # step by step where it turns
            if found.get(between) == "new":
                break
            look(process, between)
    order = [found[at] for at in sorted(found)]
    assert order == sorted(order, key=["old", "none", "new"].index)
    assert set(order) == {"old", "none", "new"}


def test_on_postgresql_a_restore_is_whole_or_never_was(
    postgresql: Server, postgresql_url: str, backups: Path, tmp_path: Path
) -> None:
    house = found(tmp_path / "b", postgresql_url, postgresql)
    house.grow("first")
    made = house.back_up(backups)
    house.grow("later")
    before = house.entries()
    with dying(house, "restore-tables", made.file) as process:
        for number in (1, len(made.manifest.columns) - 1):
            assert process.at(number) == "killed"
            assert house.entries() == before
        assert process.at(len(made.manifest.columns)) == "done"
    assert after_kill(house) == "new"
