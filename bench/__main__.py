"""python -m bench: measure, prove, and only then print. Exit 1 and no table where anything does not verify."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from bench.beside.charts import write_charts
from bench.beside.run import add_options, run_beside
from bench.cases import CALLERS
from bench.failure import RunFailed
from bench.grounds import GROUNDS, Ground, Opening
from bench.machine import Machine
from bench.measure import Bench, Broker, Repeat
from bench.proof import verify_log
from bench.requester import PreparedRequester
from bench.summary import summarise
from bench.table import Whole, show

BESIDE: Final = "beside"
SHORTEST: Final = 0.1
LONGEST: Final = 20.0
"""Seconds of a window: its requests are signed before it and live 60."""

_talk: Final = Console(stderr=True, highlight=False)


def main() -> int:
    """Run from the command line; the exit code."""
    given = _arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as folder:
            machine = Machine.probe(Path(folder))
            proven = [_run(Path(folder) / name, GROUNDS[name], given) for name in given.only if name != BESIDE]
            shown = run_beside(Path(folder) / BESIDE, given, _tell) if BESIDE in given.only else None
    except RunFailed as failed:
        _talk.print(f"[red]✗[/red] no speed: {failed}", soft_wrap=True)
        return 1
    whole = Whole(machine, summarise([repeat for one in proven for repeat in one.repeats]), shown)
    counted = [(one.entries, one.answers) for one in proven]
    counted += [(shown.entries, shown.answers)] if shown is not None else []
    entries, answers = map(sum, zip(*counted, strict=True))
    if shown is not None and given.charts is not None:
        write_charts(given.charts, shown.compared)
    if given.json:
        proof = {"verified": True, "entries": entries, "answers": answers}
        lengths = {"seconds": given.seconds, "repeats": given.repeats}
        sys.stdout.write(json.dumps({**whole.members(), **lengths, "log": proof}) + "\n")
    else:
        show(whole, f"all {answers:,} receipts and the logs of {entries:,} entries verify")
    return 0


@dataclass(frozen=True, slots=True)
class Proven:
    """What one ground showed, and how many entries and answers of it were verified."""

    repeats: Sequence[Repeat]
    entries: int
    answers: int


def _tell(words: str) -> None:
    _talk.print(words, soft_wrap=True)


def _run(folder: Path, opened: Opening, given: argparse.Namespace) -> Proven:
    with opened(folder, _tell) as ground:
        bench, repeats = uvloop.run(_measure(ground, given))
    _talk.print("verifying the log")
    entries = [
        verify_log(broker.processes.folder, folder / f"export-{name}", broker.processes.vkey, broker.answers)
        for name, broker in bench.brokers.items()
    ]
    return Proven(repeats, sum(entries), sum(broker.answers for broker in bench.brokers.values()))


async def _measure(ground: Ground, given: argparse.Namespace) -> tuple[Bench, Sequence[Repeat]]:
    async with AsyncExitStack() as stack:
        brokers = {
            name: Broker(processes, await PreparedRequester.register(processes.folder, given.phones, stack))
            for name, processes in ground.brokers.items()
        }
        bench = Bench(brokers, given.seconds)
        cases = [case for case in ground.cases if case.callers in given.callers]
        return bench, await bench.run(cases, given.repeats, _tell)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each window of exchanges (default 2)")
    parser.add_argument("--repeats", type=int, default=3, help="of each case (default 3)")
    parser.add_argument(
        "--only", nargs="+", choices=[*GROUNDS, BESIDE], default=[*GROUNDS, BESIDE], help="(default: all)"
    )
    parser.add_argument("--callers", nargs="+", type=int, choices=CALLERS, default=CALLERS, help="(default: each)")
    parser.add_argument("--phones", type=int, default=16, help="of people who sign; fewer warm up less (default 16)")
    parser.add_argument("--folder", type=Path, help="where the database is made and removed again: the disk to measure")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    add_options(parser)
    given = parser.parse_args()
    if not SHORTEST <= given.seconds <= LONGEST or min(given.repeats, given.phones) < 1:
        parser.error(f"seconds lie between {SHORTEST} and {LONGEST}, repeats and phones are at least 1")
    return given


if __name__ == "__main__":
    sys.exit(main())
