"""python -m bench.overload: measured, proven, and held against what is promised. Exit 1 where a promise is not kept."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import uvloop
from rich.console import Console
from rich.table import Table

from bench.failure import RunFailed
from bench.machine import Machine
from bench.overload import slow, three_times
from bench.overload.driving import Driver
from bench.overload.slow import Slow
from bench.overload.stock import Stock
from bench.overload.three_times import ITEMS, Overload
from bench.processes import Founding, Processes, children, running
from bench.proof import verify_log
from bench.requester import PreparedRequester
from broker.listening import take_descriptors
from connectors.departments.fleet import Fleet

PHONES: Final = 16
KEPT: Final = 0.8
REFUSED_WITHIN: Final = 0.05
RECOVERED_WITHIN: Final = 5.0
OTHERS_P99: Final = 0.3
CLOSED_WITHIN: Final = 10.0

_talk: Final = Console(stderr=True, highlight=False)


def main() -> int:
    given = _arguments()
    take_descriptors()
    try:
        with tempfile.TemporaryDirectory(prefix="overload-", dir=given.folder) as folder:
            machine = Machine.probe(Path(folder))
            overload, clients, entries = _run(Path(folder), given)
    except RunFailed as failed:
        _talk.print(f"[red]✗[/red] no figures: {failed}", soft_wrap=True)
        return 1
    broken = [*_broken_overload(overload), *(line for one in clients for line in _broken_slow(one))]
    if given.json:
        told: dict[str, Any] = {"machine": machine.members(), "overload": asdict(overload)}
        told |= {"slow": [asdict(one) for one in clients], "entries": entries, "broken": broken}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        _show(overload, clients, f"Machine: {machine}. Proof: the log of {entries:,} entries verifies.")
    for line in broken:
        _talk.print(f"[red]✗[/red] {line}", soft_wrap=True)
    return 1 if broken else 0


def _run(folder: Path, given: argparse.Namespace) -> tuple[Overload, list[Slow], int]:
    with (
        Fleet.start(folder / "departments") as fleet,
        running(folder / "broker", Founding(fleet.routes_file, fleet.secrets_folder), children()) as processes,
    ):
        overload, clients, exchanged = uvloop.run(_measure(processes, given))
    _talk.print("verifying the log")
    return overload, clients, verify_log(folder / "broker", folder / "export", processes.vkey, exchanged)


async def _measure(processes: Processes, given: argparse.Namespace) -> tuple[Overload, list[Slow], int]:
    async with AsyncExitStack() as stack:
        drivers = []
        for name in ("yz-hpf", "small-hpf"):
            requester = await PreparedRequester.register(processes.folder, PHONES, stack, name)
            drivers.append(Driver(processes.ports[0], await Stock.prepare(requester, ITEMS, 1)))
            stack.callback(drivers[-1].close)
        overload = await three_times.measure(processes, drivers, given.seconds, _talk.print)
        clients = await slow.measure(drivers[1], given.slow, _talk.print) if given.slow else []
        return overload, clients, sum(driver.exchanged for driver in drivers)


def _broken_overload(seen: Overload) -> list[str]:
    """Which of its promises are not kept."""
    small = seen.small_answered + seen.small_refused
    kept = {
        f"goodput is {seen.kept:.0%} of the best": seen.kept >= KEPT,
        f"1 in 100 is refused after {seen.refused_p99 * 1000:.0f} ms": seen.refused_p99 <= REFUSED_WITHIN,
        f"{seen.without_retry_after} refusals say not when to come again": not seen.without_retry_after,
        f"{seen.broken} were neither answered nor refused": not seen.broken,
        f"{seen.left_out} answers leave a department out": not seen.left_out,
        f"back to normal after {seen.recovered_within} s": seen.recovered_within <= RECOVERED_WITHIN,
        f"{seen.small_refused} of the small requester's {small} were refused": not seen.small_refused,
    }
    return [line for line, well in kept.items() if not well]


def _broken_slow(seen: Slow) -> list[str]:
    kept = {
        f"{seen.kind}: {seen.number - seen.closed} were left open": seen.closed == seen.number,
        f"{seen.kind}: the last was closed after {seen.last:.1f} s": seen.last <= CLOSED_WITHIN,
        f"{seen.kind}: p99 of everybody else {seen.others_p99 * 1000:.0f} ms": seen.others_p99 < OTHERS_P99,
        f"{seen.kind}: {seen.unanswered} of everybody else went unanswered": not seen.unanswered,
    }
    return [line for line, well in kept.items() if not well]


def _show(overload: Overload, clients: Sequence[Slow], below: str) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(_overload_table(overload))
    if clients:
        console.print(_slow_table(clients))
    console.print(below, soft_wrap=True)


def _overload_table(seen: Overload) -> Table:
    table = Table(title="Three times the best rate; latencies from the moment each was sent")
    table.add_column("what")
    table.add_column("seen", justify="right")
    table.add_column("promised", justify="right")
    for row in (
        ("best rate, closed loop, before and after", f"{seen.best:.0f} and {seen.best_again:.0f}/s", ""),
        ("p99 at half of it, before", f"{seen.normal_p99 * 1000:.0f} ms", ""),
        ("offered", f"{seen.offered:.0f}/s", ""),
        (
            "cores: broker, departments, the load itself",
            f"{seen.cores.server:.2f} + {seen.cores.departments:.2f} + {seen.cores.generator:.2f}",
            "",
        ),
        ("sent late, p99", f"{seen.late_p99 * 1000:.0f} ms", ""),
        ("answered", f"{seen.goodput:.0f}/s ({seen.kept:.0%})", f"{KEPT:.0%}"),
        ("answered within, p50 and p99", f"{seen.accepted_p50:.2f} and {seen.accepted_p99:.2f} s", ""),
        ("refused", f"{seen.refused:,}", ""),
        ("refused within, p50", f"{seen.refused_p50 * 1000:.1f} ms", ""),
        ("refused within, p99", f"{seen.refused_p99 * 1000:.1f} ms", f"{REFUSED_WITHIN * 1000:.0f} ms"),
        ("refused within, longest", f"{seen.refused_longest * 1000:.1f} ms", ""),
        ("refused without Retry-After", f"{seen.without_retry_after}", "0"),
        ("neither answered nor refused", f"{seen.broken}", "0"),
        ("answers that leave a department out", f"{seen.left_out}", "0"),
        ("small requester beside it: answered", f"{seen.small_answered}", ""),
        ("small requester: refused", f"{seen.small_refused}", "0"),
        ("small requester: p99", f"{seen.small_p99 * 1000:.0f} ms", ""),
        ("back to normal within", f"{seen.recovered_within:.1f} s", f"{RECOVERED_WITHIN:.0f} s"),
    ):
        table.add_row(*row)
    return table


def _slow_table(clients: Sequence[Slow]) -> Table:
    table = Table(title=f"Slow clients, and {slow.RATE:.0f} exchanges a second of everybody else")
    for name in ("slow", "open", "closed", "last after", "others", "unanswered", "p50", "p99"):
        table.add_column(name, justify="left" if name == "slow" else "right")
    for one in clients:
        numbers = (f"{one.number:,}", f"{one.closed:,}", f"{one.last:.1f} s", f"{one.others}", f"{one.unanswered}")
        table.add_row(one.kind, *numbers, f"{one.others_p50 * 1000:.0f} ms", f"{one.others_p99 * 1000:.0f} ms")
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of overload (default 15)")
    parser.add_argument("--slow", type=int, default=2000, help="clients of each sort; 0 leaves them out (default 2000)")
    parser.add_argument("--folder", type=Path, help="where the database is made and removed again")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    given = parser.parse_args()
    if given.seconds < 2 * three_times.SETTLING or given.slow < 0:
        parser.error(f"seconds are at least {2 * three_times.SETTLING}, slow clients none or some")
    return given


if __name__ == "__main__":
    sys.exit(main())
