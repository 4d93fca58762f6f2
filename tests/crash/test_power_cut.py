"""The power fails at any moment: whatever the disk had not been told to keep may be there, be torn, or be gone.

The writer's file operations are written down with strace and followed on a disk that knows what was synced
(tests/crash/disk.py). At each chosen moment the files are rebuilt and opened anew: every acknowledgement made before
that moment must be in them. The same with a careless `synchronous` must lose some: that proves the test.
"""

import random
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from broker import sqlite
from tests.crash.disk import Disk, Keeps
from tests.crash.forked import Child, fork
from tests.crash.recording import ARGUMENTS, Act, Said, Synced, acts
from tests.crash.sizes import LONG, seeded, size
from tests.crash.tracing import attached, need_strace
from tests.crash.writing import Order, Synchronous, anchor_of, write
from tests.faults.appenders import all_held
from tests.faults.ledger_file import FILE, found, opened

UNITS = 9
EVERY = 0
CUTS, FEWER = size(45, EVERY), size(12, 25)
"""Moments of a recording without a fault, and of one with. In the long form each in each way, and some torn ways more:
11,000 cuts after failed syncs."""
WAYS: tuple[Keeps, ...] = get_args(Keeps)
EACH_WAY: tuple[Keeps, ...] = (*WAYS, "some", "some", "some", "some")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need_strace()
    folder = tmp_path / "recorded"
    folder.mkdir()
    found(folder / FILE)
    return folder


def recorded(order: Order, *faults: str) -> list[Act]:
    """What a writer did from before it opened the database until it had ended."""
    child = fork(write, order)
    child.saying("ready")
    written = order.folder.with_suffix(".trace")
    with attached(child.pid, *ARGUMENTS, *faults, "-o", str(written)):
        child.go()
        _let_end(child)
    told = list(acts(written, order.folder))
    assert sum(isinstance(act, Said) for act in told) >= len(child.said) - 1, "the recording is not whole"
    return told


def _let_end(child: Child) -> None:
    if child.saying("done"):
        child.go()
    child.end()


def chosen(chance: random.Random, every: range, some: int) -> Collection[int]:
    return every if some == EVERY else set(chance.choices(every, k=some))


def moments(
    disk: Disk, told: Sequence[Act], chance: random.Random, at: Collection[int]
) -> Iterator[tuple[Keeps, list[dict[str, Any]]]]:
    """Follow a recording and stop at these moments: what the disk keeps then, and what had been acknowledged."""
    promises: list[dict[str, Any]] = []
    for number, act in enumerate(told):
        disk.follow(act)
        if isinstance(act, Said) and "acknowledged" in act.members:
            promises.append(act.members)
        if number in at:
            for keeps in EACH_WAY if LONG else (chance.choice(WAYS),):
                yield keeps, promises


def check(folder: Path, promises: list[dict[str, Any]]) -> None:
    """The anchor is no obstacle, everything acknowledged is there, and the log goes on and verifies."""
    with opened(folder, anchor=anchor_of(folder)) as log:
        all_held(log, promises)
        log.record("afterwards")
        log.check()


UNFOLDED = Order(Path(), 2 * UNITS, "before opening", fold_above=sqlite.FOLD_ABOVE)
"""Folding soon would mend by chance what a failed sync has left."""
SYNC, SYNCS = "fdatasync", range(1, 8)
"""The first are those of a new write-ahead log and its name, the others commits."""


def cut_and_check(disk: Disk, told: Sequence[Act], chance: random.Random, at: Collection[int]) -> tuple[int, int]:
    """(cuts, promises held) of a recording. The disk is left as it is at its end."""
    cuts = held = 0
    for keeps, promises in moments(disk, told, chance, at):
        again = disk.folder.with_name(f"cut-{cuts}")
        disk.after_cut(keeps, chance, again)
        check(again, promises)
        shutil.rmtree(again)
        cuts, held = cuts + 1, held + len(promises)
    return cuts, held


def test_every_acknowledgement_outlives_a_power_cut(folder: Path) -> None:
    chance = seeded()
    disk = Disk.of(folder)
    told = recorded(Order(folder, UNITS, "before opening"))
    cuts, held = cut_and_check(disk, told, chance, chosen(chance, range(len(told)), CUTS))
    print(f"{len(told)} acts, {cuts} cuts, {held} promises held")  # noqa: T201 - shown where a test fails
    assert held > cuts, "most cuts came before the first acknowledgement: the test proves nothing"


@pytest.mark.parametrize("lasting", range(1, size(5, 9)))
def test_a_sync_that_failed_takes_nothing_acknowledged_with_it(folder: Path, lasting: int) -> None:
    """Linux lets go of pages that it could not write: a later sync succeeds without them."""
    chance = seeded()
    for first in chance.sample(SYNCS, size(1, len(SYNCS))):
        disk = Disk.of(folder)
        fault = ["-e", f"inject={SYNC}:error=EIO:when={first}..{first + lasting - 1}"]
        told = recorded(replace(UNFOLDED, folder=folder), *fault)
        failed = next(number for number, act in enumerate(told) if isinstance(act, Synced) and act.failed)
        cut_and_check(disk, told, chance, chosen(chance, range(failed, len(told)), FEWER))
        refound(folder)


def test_a_process_that_died_after_a_failed_sync_takes_nothing_with_it(folder: Path) -> None:
    """What its successor finds in the write-ahead log is only seen, not on the disk."""
    chance = seeded()
    for first in chance.sample(SYNCS, size(2, len(SYNCS))):
        disk = Disk.of(folder)
        for act in recorded(replace(UNFOLDED, folder=folder), "-e", f"inject={SYNC}:signal=KILL:when={first}"):
            disk.follow(act)
        disk.sync_fails()
        told = recorded(replace(UNFOLDED, folder=folder))
        cut_and_check(disk, told, chance, chosen(chance, range(len(told)), FEWER))
        refound(folder)


def refound(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    found(folder / FILE)


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_careless_setting_loses_acknowledged_entries(folder: Path, synchronous: Synchronous) -> None:
    """The counter-proof: without a sync at each commit the same disk has lost what was acknowledged."""
    chance = seeded()
    disk = Disk.of(folder)
    told = recorded(Order(folder, UNITS, "before opening", synchronous=synchronous))
    acknowledged: set[str] = set()
    lost = 0
    for number, act in enumerate(told):
        disk.follow(act)
        if isinstance(act, Said) and "acknowledged" in act.members:
            acknowledged.add(act.members["acknowledged"])
            again = folder.with_name(f"cut-{number}")
            disk.after_cut("nothing", chance, again)
            lost += not acknowledged <= names(again)
    assert lost > 0, "even a careless setting loses nothing: the test cannot fail"


def names(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM faults_state")}
