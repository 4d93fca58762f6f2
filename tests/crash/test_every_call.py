"""Each n-th call by which the writer changes a file, or makes it safe: killed there, or failing once or from there on.

The short form takes some of the calls by chance, the long one every call (of those that fail on and on, more).
"""

import itertools
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.forked import Child, fork
from tests.crash.sizes import seeded, size
from tests.crash.tracing import CHANGING, attached, detach, need_strace
from tests.crash.writing import AT_ONCE, ENDED, Order, anchor_of, write
from tests.faults.appenders import all_held
from tests.faults.ledger_file import FILE, found, opened

UNITS = 7
EVERY = -1
OPENING, OPEN = (Order(Path(), UNITS, wait) for wait in ("before opening", "after opening"))
READ = replace(OPEN, reader=True)
LASTING_FAULTS = ((OPENING, "pwrite64", 3), (OPEN, "fdatasync", 3), (READ, "pwrite64", 60), (READ, "ftruncate", 1))
"""Of these each kind, in the short form too."""
LASTING = 0.4
"""Seconds that a lasting fault goes on after the first refusal: longer than the ledger takes to look again."""


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_strace()
    folder = tmp_path_factory.mktemp("founded")
    found(folder / FILE)
    return folder


@pytest.fixture
def fresh(founded: Path, tmp_path: Path) -> Callable[[Order], Order]:
    """The order for a copy of its own."""
    numbers = itertools.count()

    def copied(order: Order) -> Order:
        folder = tmp_path / str(next(numbers))
        shutil.copytree(founded, folder)
        return replace(order, folder=folder)

    return copied


def counted(order: Order) -> Counter[str]:
    """How often each call is made by the thread that makes it most; strace counts by thread."""
    child = fork(write, order)
    child.saying("ready")
    written = order.folder / "calls"
    with attached(child.pid, "-e", f"trace={','.join(CHANGING)}", "-o", str(written)):
        child.go()
        child.saying("done")
        child.go()
        assert child.end() == 0
    by_thread: Counter[tuple[str, str]] = Counter()
    for line in written.read_text(encoding="utf-8").splitlines():
        thread, _, call = line.partition(" ")
        if "(" in call and "resumed" not in call:
            by_thread[thread, call.strip().partition("(")[0]] += 1
    most: Counter[str] = Counter()
    for (_, name), number in by_thread.items():
        most[name] = max(most[name], number)
    return most


def places(fresh: Callable[[Order], Order], some: int) -> Iterator[tuple[Order, str, int]]:
    """(order, call, n) of `some` calls of the workload, by chance, or of every one."""
    chance = seeded()
    for order in (OPENING, OPEN):
        calls = counted(fresh(order))
        assert calls["pwrite64"] > 100, "the workload is not what it was"
        assert {"fdatasync", "ftruncate"} <= calls.keys(), "the workload never syncs or never folds"
        every = [(name, number) for name, total in sorted(calls.items()) for number in range(1, total + 1)]
        for name, number in every if some == EVERY else chance.sample(every, some):
            yield fresh(order), name, number


def started(order: Order) -> Child:
    child = fork(write, order)
    child.saying("ready")
    return child


def check(order: Order, child: Child) -> int:
    """Whatever was acknowledged is there, where the receipt says; the log is whole, and goes on."""
    promises = [line for line in child.said if "acknowledged" in line]
    with opened(order.folder, anchor=anchor_of(order.folder)) as log:
        held = all_held(log, promises)
        log.record("afterwards")
        log.check()
    shutil.rmtree(order.folder)
    return held


def test_killed_at_each_call(fresh: Callable[[Order], Order]) -> None:
    held = killed = rounds = 0
    for order, call, number in places(fresh, size(14, EVERY)):
        child = started(order)
        with attached(child.pid, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"):
            child.go()
            if child.saying("done"):
                child.go()
            status = child.end()
        assert status in {0, -signal.SIGKILL}, child.said[-1]
        held, killed, rounds = held + check(order, child), killed + (status != 0), rounds + 1
    assert killed > rounds * 0.8, "as units share commits, the last calls may not be made; more were missed"
    assert held > rounds, "most kills came before the first acknowledgement: the test proves nothing"


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_each_call_fails_once(fresh: Callable[[Order], Order], error: str) -> None:
    refused = 0
    for order, call, number in places(fresh, size(8, EVERY)):
        child = started(order)
        with attached(child.pid, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"):
            child.go()
            refused += ended_or_healed(child)
        check(order, child)
    assert refused > 0, "no failure ever met a commit: the test proves nothing"


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_each_call_fails_from_there_on_until_it_is_mended(fresh: Callable[[Order], Order], error: str) -> None:
    refused = 0
    given = ((fresh(order), call, number) for order, call, number in LASTING_FAULTS)
    for order, call, number in itertools.chain(given, places(fresh, size(0, 60))):
        child = started(order)
        with attached(child.pid, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}+") as tracer:
            child.go()
            if any("refused" in line for line in child.saying("refused", "done")):
                time.sleep(LASTING)
                told = sum("refused" in line for line in child.said)
                assert told <= AT_ONCE + 1, f"it took {call} for mended, again and again"
            detach(tracer)
            refused += ended_or_healed(child)
        check(order, child)
    assert refused > 0, "no failure ever met a commit: the test proves nothing"


def ended_or_healed(child: Child) -> int:
    """Either the process ended itself, or it refused, healed, and acknowledges again; how many it refused."""
    if child.saying("done"):
        child.go()
    status = child.end()
    if status == 0:
        assert any(line.get("acknowledged", "").startswith("last") for line in child.said)
    else:
        assert status in {1, ENDED}, child.said[-1]
        assert "never healed" not in str(child.said[-1]), child.said[-1]
    return sum("refused" in line for line in child.said)
