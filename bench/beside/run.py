"""The ground `beside` from its start to its proof: what stands, what is measured, and whether both logs verify."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import uvloop

from bench.beside.departments import departments
from bench.beside.due import DELAY_MS, Latency, at_rate
from bench.beside.measure import Load, Pair, Repeat
from bench.beside.rows import MOST_ITEMS, POSTGRESQL, RULES, SLOW, SQLITE, TRACED, Row, Setup, star
from bench.beside.summary import Compared, compare
from bench.beside.world import MOST_USES, World, databases, opened
from bench.failure import RunFailed
from bench.plain.chain import verify_chain
from bench.proof import verify_log

STORES: Final = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the run showed, and how many entries and answers of both programs were verified."""

    compared: Compared
    entries: int
    answers: int


def add_options(parser: argparse.ArgumentParser) -> None:
    """Of every list the first is the base row's; each further value makes a row that differs in it alone."""
    group = parser.add_argument_group("beside", description=add_options.__doc__)
    group.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES), help="(default: both)")
    group.add_argument(
        "--processes", nargs="+", type=int, choices=range(1, 9), default=[1, 2, 4], help="(default: 1 2 4)"
    )
    group.add_argument(
        "--items", nargs="+", type=int, choices=range(1, MOST_ITEMS + 1), default=[3, 1, 5], help="(default: 3 1 5)"
    )
    group.add_argument("--delays", nargs="+", type=int, default=[0, 50], help="of departments, in ms (default: 0 50)")
    group.add_argument(
        "--uses", nargs="+", type=int, choices=range(1, MOST_USES + 1), default=[5, 1], help="(default: 5 1)"
    )
    group.add_argument("--rules", nargs="+", choices=RULES, default=["on"], help="of ours; off: no decisions")
    group.add_argument("--older", nargs="+", type=int, default=[0], help="consents and entries that ours held before")
    group.add_argument("--rate", type=float, default=100, help="of the latency windows, per second; 0: none")
    group.add_argument("--rate-seconds", type=float, default=10, help="of each latency window (default: 10)")
    group.add_argument("--fsync-delay", type=float, default=0, help="ms: also on a disk that is so slow, by strace")
    group.add_argument("--recorded", action="store_true", help="departments that answer from memory: more cores for us")
    group.add_argument("--charts", type=Path, help="a folder for the figures as SVG")


def run_beside(folder: Path, given: argparse.Namespace, tell: Callable[[str], None]) -> Shown:
    """Measure, end everything, prove. Raises RunFailed."""
    with ExitStack() as stack:
        urls = stack.enter_context(databases(list(dict.fromkeys(row.setup for row in rows_of(given))), folder, tell))
        rows = [row for row in rows_of(given) if row.setup in urls]
        if not rows:
            raise RunFailed("nothing that was asked for can be had here")
        with (
            departments(folder, recorded=given.recorded) as asked,
            opened(urls, folder, asked, given.fsync_delay, tell) as world,
        ):
            pairs, repeats, latencies = uvloop.run(_measure(world, rows, given, tell))
        tell("verifying the logs")
        entries = sum(_verified(pair, folder) for pair in pairs.values())
    answers = sum(pair.our_answers + pair.plain_answers for pair in pairs.values())
    return Shown(replace(compare(repeats, latencies), recorded=given.recorded), entries, answers)


def rows_of(given: argparse.Namespace) -> tuple[Row, ...]:
    """The base, the rows beside it, and those of the slow disk and of tracing alone, which it is held against."""
    setups = {
        "store": [STORES[name] for name in given.stores],
        "processes": given.processes,
        "rules": [RULES[name] for name in given.rules],
        "older": given.older,
    }
    rows = star(setups, {"items": given.items, "delay_ms": given.delays, "uses": given.uses})
    if not given.fsync_delay:
        return rows
    return (*rows, *(replace(rows[0], setup=Setup(SQLITE, given.processes[0], disk)) for disk in (TRACED, SLOW)))


async def _measure(
    world: World, rows: Sequence[Row], given: argparse.Namespace, tell: Callable[[str], None]
) -> tuple[Mapping[Setup, Pair], Sequence[Repeat], Sequence[Latency]]:
    async with AsyncExitStack() as stack:
        pairs = {setup: await Pair.register(sides, given.phones, stack) for setup, sides in world.sides.items()}
        repeats = await Load(world, pairs, given.seconds).run(rows, given.repeats, tell)
        latencies = []
        for number in range(given.repeats if given.rate else 0):
            for row in timed(rows):
                tell(f"latency {number + 1} of {given.repeats} at {given.rate:g}/s: {', '.join(row.words())}")
                how = {"rate": given.rate, "seconds": given.rate_seconds}
                latencies.append(await at_rate(world, pairs[row.setup], row, **how))
        return pairs, repeats, latencies


def timed(rows: Sequence[Row]) -> Sequence[Row]:
    """Of each store the base's own, but with departments that take their time."""
    base = rows[0]
    setups = dict.fromkeys(row.setup for row in rows if row.setup == replace(base.setup, store=row.setup.store))
    return [replace(base, setup=setup, delay_ms=DELAY_MS) for setup in setups]


def _verified(pair: Pair, folder: Path) -> int:
    """Entries of both programs, which have ended."""
    ours = pair.sides.ours
    export = folder / f"export-{ours.folder.parent.name}"
    return verify_chain(pair.sides.plain_database, pair.plain_answers) + verify_log(
        ours.folder, export, ours.vkey, pair.our_answers
    )
