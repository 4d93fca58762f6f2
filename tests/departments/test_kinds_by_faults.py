"""Kinds x faults: the right outcome within the deadline, what the breaker makes of it, and that it is over when it is.

And what each kind's whole list of faults costs the others.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from connectors.contract import Answer
from connectors.departments.process import DepartmentProcess
from connectors.directory import Directory
from policies.vocabulary import Outcome
from tests.connectors.asking import question
from tests.crash.sizes import LONG
from tests.departments.kinds import KINDS
from tests.departments.running import FAILURES, HASTY, OPEN_SECONDS, PATIENT, Kind, Running, limited_route, write_route
from tests.departments.steps import EXPECT, Step, prepared, whole

SLACK = 3.0
"""Seconds beyond the deadline that a busy machine may take to notice it."""
RECOVERY = 10.0
"""Seconds within which a straightened department is asked again: the database drivers' own patience is the longest."""

down, timeout, garbled = {Outcome.DEPARTMENT_DOWN}, {Outcome.TIMEOUT}, {Outcome.GARBLED}
FAULTS: Mapping[str, tuple[set[Outcome], bool]] = {
    # what became of the question, and whether the department is then left alone
    "refused": (down, True),
    "reset mid-body": (down | garbled, True),
    "hang at connect": (timeout, True),
    "hang in body": (timeout, True),
    "one byte a second": (timeout, True),
    "5xx": (down, True),
    "429": ({Outcome.QUOTA}, True),
    "truncated": (garbled, True),
    "wrong schema": (garbled, False),
    "wrong person": (garbled, False),
    "100 MB": (garbled, True),
    "XML bomb": (garbled, True),
    "external entity": (garbled, True),
    "expired certificate": (down, True),
    "wrong certificate": (down, True),
    "duplicates": (set(), False),
    "stale": (garbled, False),
}
"""Duplicates are no trouble: the healthy outcome, each record once."""
A_MOMENT = 1.0
"""Seconds in which nothing comes where nothing should."""


def tried(kind: Kind) -> list[str]:
    """The faults of a row that this run tries."""
    return [one for one in FAULTS if one not in kind.without and (LONG or kind.short is None or one in kind.short)]


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, kind in KINDS.items() for fault in tried(kind)])
async def test_a_cell(running: Callable[[str], Running], name: str, fault: str) -> None:
    kind, department = KINDS[name], running(name)
    wanted, opens = kind.unlike.get(fault, FAULTS[fault])
    deadline = HASTY if Outcome.TIMEOUT in wanted else PATIENT
    directory = department.directory(deadline)
    try:
        healthy = await recovered(department, kind, directory)
        steps = await prepared(department, kind, FAILURES)
        await asyncio.to_thread(department.bend, fault)
        await asyncio.sleep(0.05)  # for our end of the connections that were cut to notice
        patience = A_MOMENT if Outcome.PENDING in wanted else deadline
        began = time.monotonic()
        answers = await asyncio.gather(*(step.settled(directory, patience) for step in steps))
        assert time.monotonic() - began < deadline + SLACK
        for answer in answers:
            assert answer.outcome in (wanted or {kind.healthy}), answer.raw_code
            assert answer.records == (() if wanted else healthy.records)
        codes = [(await step.once(directory)).raw_code for step in steps]
        left_alone = opens and not kind.never_left_alone
        assert ("breaker_open" in codes) is left_alone, (
            codes,
            [answer.raw_code for answer in answers],
        )
        await asyncio.to_thread(department.bend, "none")
        await recovered(department, kind, directory)
    finally:
        department.bend("none")
        await directory.aclose()


async def recovered(department: Running, kind: Kind, directory: Directory) -> Answer:
    """Ask until it answers as it should."""
    end = time.monotonic() + RECOVERY
    while (answer := await whole(department, kind, directory, RECOVERY)).outcome is not kind.healthy:
        assert time.monotonic() < end, answer.raw_code
        await asyncio.sleep(OPEN_SECONDS / 2)
    return answer


def test_what_a_kind_cannot_have_is_said() -> None:
    for name, kind in KINDS.items():
        assert set(kind.without) <= set(FAULTS), name
        assert all(kind.without.values())
        assert set(kind.unlike) <= set(FAULTS) - set(kind.without), name
        assert (kind.short or frozenset()) <= set(FAULTS) - set(kind.without), name


def test_the_short_form_tries_every_fault() -> None:
    for fault in FAULTS:
        assert sum(fault in tried(kind) for kind in KINDS.values()) >= 2, fault


NEIGHBOURED = ("http, JSON over TLS", "sql, SQLite")
"""Of which kinds the short form looks what they cost the others: one on our sockets, one in threads."""
WINDOW = 25
"""Calls to the neighbour in each window."""
PACE = 0.05
"""Seconds between two calls to the bent department: the same load, whatever is wrong with it."""
ROUNDS = 6
MAY_MOVE = 1.2
A_SLICE = 0.01
"""Seconds, a turn of the machine's scheduler: what is below it cannot be told from the tests that run beside this."""


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A healthy department that nobody bends."""
    folder = tmp_path_factory.mktemp("neighbour")
    department = DepartmentProcess.start("civil_affairs", folder / "department")
    route = limited_route("marriage_check_single", folder)
    route["request"]["url"] = route["request"]["url"].replace(":1/", f":{department.port}/")
    yield Running(write_route(folder, "marriage_check_single", route), folder, lambda _: None)
    department.stop()


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if name in NEIGHBOURED or (LONG and tried(kind))]
)
async def test_the_neighbours_hardly_notice(running: Callable[[str], Running], neighbour: Running, name: str) -> None:
    """The 99th percentile of a healthy department's answers, with every fault of the kind, against without any.

    How it is measured: for every fault three windows right after each other, healthy, bent, healthy, while the bent
    department is asked at one pace in all three; the windows of all faults are pooled, and where the machine's own
    noise hides the answer (the two healthy pools differ) further rounds are added to the same pools, six at most.
    The bent pool may exceed the slower healthy one by a fifth and a slice. Pools are hundreds of calls, within the
    same minute. What can have no fault costs nobody anything.
    """
    kind, department = KINDS[name], running(name)
    pools: dict[str, list[float]] = {"before": [], "bent": [], "after": []}
    bent, quiet = department.directory(HASTY), neighbour.directory(10)
    try:
        for _ in range(ROUNDS):
            for fault in (fault for fault in FAULTS if fault not in kind.without):
                (step,) = await prepared(department, kind, 1)
                for pool, state in (("before", ""), ("bent", fault), ("after", "none")):
                    if state:
                        await asyncio.to_thread(department.bend, state)
                    pools[pool] += await window(bent, step, quiet)
            before, during, after = (percentile(pools[pool]) for pool in ("before", "bent", "after"))
            if during <= MAY_MOVE * max(before, after) + A_SLICE:
                break
    finally:
        department.bend("none")
        await bent.aclose()
        await quiet.aclose()
    told = f"before {before * 1000:.1f} ms, bent {during * 1000:.1f} ms, after {after * 1000:.1f} ms"
    assert during <= MAY_MOVE * max(before, after) + A_SLICE, told


async def window(bent: Directory, step: Step, quiet: Directory) -> list[float]:
    asking = asyncio.create_task(paced(bent, step))
    took = []
    for _ in range(WINDOW):
        began = time.perf_counter()
        answer = await quiet.ask(question("marriage_check_single", expect=EXPECT))
        took.append(time.perf_counter() - began)
        assert answer.outcome is Outcome.MATCH
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    return took


async def paced(bent: Directory, step: Step) -> None:
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(step.once(bent))
            await asyncio.sleep(PACE)


def percentile(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]
