"""python -m bench: measure, prove, and only then print. Exit 1 and no table where anything does not verify."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from bench.failure import RunFailed
from bench.machine import Machine
from bench.measure import Bench, Repeat
from bench.processes import Processes, running
from bench.proof import verify_log
from bench.requester import PreparedRequester
from bench.summary import Summary, summarise
from bench.table import show

SHORTEST: Final = 0.1
LONGEST: Final = 20.0
"""Seconds of a window: its requests are signed before it and live 60."""

_talk: Final = Console(stderr=True, highlight=False)


def main() -> int:
    """Run from the command line; the exit code."""
    given = _arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as folder:
            machine, summary, entries, answers = _run(Path(folder), given)
    except RunFailed as failed:
        _talk.print(f"[red]✗[/red] no speed: {failed}", soft_wrap=True)
        return 1
    if given.json:
        members = {
            "machine": machine.members(),
            "seconds": given.seconds,
            "repeats": given.repeats,
            **summary.members(),
            "log": {"verified": True, "entries": entries, "answers": answers},
        }
        sys.stdout.write(json.dumps(members) + "\n")
    else:
        show(machine, summary, f"all {answers:,} receipts and the log of {entries:,} entries verify")
    return 0


def _run(folder: Path, given: argparse.Namespace) -> tuple[Machine, Summary, int, int]:
    machine = Machine.probe(folder)
    with running(folder) as processes:
        bench, repeats = uvloop.run(_measure(folder / "broker", processes, given))
    _talk.print("verifying the log")
    entries = verify_log(folder / "broker", folder / "export", processes.vkey, bench.answers)
    return machine, summarise(repeats), entries, bench.answers


async def _measure(folder: Path, processes: Processes, given: argparse.Namespace) -> tuple[Bench, Sequence[Repeat]]:
    async with AsyncExitStack() as stack:
        bench = Bench(processes, await PreparedRequester.register(folder, stack), given.seconds)
        return bench, await bench.run(given.repeats, _talk.print)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each window of exchanges (default 2)")
    parser.add_argument("--repeats", type=int, default=3, help="of each case (default 3)")
    parser.add_argument("--folder", type=Path, help="where the database is made and removed again: the disk to measure")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    given = parser.parse_args()
    if not SHORTEST <= given.seconds <= LONGEST or given.repeats < 1:
        parser.error(f"seconds lie between {SHORTEST} and {LONGEST}, repeats are at least 1")
    return given


if __name__ == "__main__":
    sys.exit(main())
