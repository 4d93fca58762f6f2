"""python -m tests.soak [--minutes N] [--rate R] [--postgresql]: exit 1 where anything is lost or does not stay flat."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import Machine
from tests.postgresql import server
from tests.soak.soaking import Order, Outcome, soak
from tests.soak.watching import MEBIBYTE, Course

_talk = Console(stderr=True, highlight=False)


def main() -> int:
    given = _arguments()
    seed = given.seed or time.time_ns() % 10**9
    _talk.print(f"--seed {seed}")
    with tempfile.TemporaryDirectory(prefix="soak-", dir=given.folder) as folder, ExitStack() as stack:
        database = stack.enter_context(stack.enter_context(server()).database()) if given.postgresql else "broker.db"
        order = Order(minutes=given.minutes, rate=given.rate, database=database)
        machine = Machine.probe(Path(folder))
        outcome = asyncio.run(soak(Path(folder), order, random.Random(seed), _talk.print))
    grown = [course for course in outcome.courses if not course.is_flat]
    if given.json:
        sys.stdout.write(json.dumps({"machine": machine.members(), "seed": seed, **_members(outcome)}) + "\n")
    else:
        _show(machine, outcome)
    for course in grown:
        _talk.print(
            f"[red]✗[/red] {course.life}: {course.figure} grew from {course.before:,.0f} to {course.after:,.0f}"
        )
    return 1 if grown else 0


def _members(outcome: Outcome) -> dict[str, Any]:
    return {
        "seconds": round(outcome.seconds),
        "answered": outcome.receipts,
        "entries": outcome.entries,
        "seen": outcome.seen,
        "outcomes": outcome.outcomes,
        "troubles": outcome.troubles,
        "interrupted": outcome.interrupted,
        "withdrawn": outcome.withdrawn,
        "p50_ms": _percentile(outcome, 0.5),
        "p99_ms": _percentile(outcome, 0.99),
        "lives": [
            {
                "life": one.life,
                "figure": one.figure,
                "seconds": round(one.seconds),
                "before": one.before,
                "after": one.after,
            }
            for one in outcome.courses
        ],
    }


def _show(machine: Machine, outcome: Outcome) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    table = Table(title="From the middle third of each life of a minute or more to its last third")
    for name in ("life", "seconds", "figure", "before", "after", "flat"):
        table.add_column(name, justify="left" if name in {"life", "figure"} else "right")
    for course in outcome.courses:
        cells = (_cell(course, course.before), _cell(course, course.after))
        table.add_row(course.life, f"{course.seconds:.0f}", course.figure, *cells, "yes" if course.is_flat else "NO")
    console.print(table)
    console.print(
        f"{outcome.receipts:,} exchanges answered in {outcome.seconds:,.0f} s, repeats until then included within "
        f"p50 {_percentile(outcome, 0.5)} ms, p99 {_percentile(outcome, 0.99)} ms; {outcome.troubles['killed']} kills, "
        f"{outcome.interrupted} exchanges cut by them, {outcome.withdrawn} withdrawals.",
        soft_wrap=True,
    )
    console.print(f"Answers: {dict(outcome.seen)}. Items: {dict(outcome.outcomes)}.", soft_wrap=True)
    console.print(f"Proof: the log of {outcome.entries:,} entries and every receipt verify.", soft_wrap=True)
    console.print(f"Machine: {machine}.", soft_wrap=True)


def _cell(course: Course, value: float) -> str:
    return f"{value / MEBIBYTE:.1f} MiB" if course.figure == "rss" else f"{value:.0f}"


def _percentile(outcome: Outcome, part: float) -> float:
    times = outcome.latencies
    return round(times[min(len(times) - 1, int(part * len(times)))] * 1000, 1) if times else 0.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="(default 60)")
    parser.add_argument("--rate", type=float, default=15.0, help="exchanges a second (default 15)")
    parser.add_argument("--postgresql", action="store_true", help="over PostgreSQL instead of SQLite")
    parser.add_argument("--seed", type=int, default=0, help="of what goes wrong and when")
    parser.add_argument("--folder", type=Path, help="where all of it is made and removed again")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    given = parser.parse_args()
    if given.minutes < 1 or given.rate <= 0:
        parser.error("minutes are at least 1, and the rate is above 0")
    return given


if __name__ == "__main__":
    sys.exit(main())
