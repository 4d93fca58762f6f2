"""python -m bench.ledger: logs of several sizes, each built, proven, searched, exported and verified on its own."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.ledger.building import CALLERS
from bench.ledger.cases import ENTRIES_EACH
from bench.machine import Machine

SIZES: Final = (1_000, 100_000, 2_000_000)
SMALLEST: Final = 300
WIDEST: Final = 110
_ROOT: Final = Path(__file__).resolve().parents[2]
_talk: Final = Console(stderr=True, highlight=False)


def main() -> int:
    """Run from the command line; the exit code: 1 and no table where anything fails or does not verify."""
    given = _arguments()
    measured = []
    with tempfile.TemporaryDirectory(prefix="bench-ledger-", dir=given.folder) as folder:
        machine = Machine.probe(Path(folder))
        for size in given.sizes:
            _talk.print(f"{size:,} entries")
            try:
                measured.append(_measure(size, Path(folder)))
            except subprocess.CalledProcessError:
                _talk.print(f"[red]✗[/red] no figures: the log of {size:,} entries failed")
                return 1
    if given.json:
        sys.stdout.write(json.dumps({"machine": machine.members(), "callers": CALLERS, "sizes": measured}) + "\n")
    else:
        _show(machine, measured)
    return 0


def _measure(size: int, folder: Path) -> dict[str, Any]:
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with tempfile.TemporaryDirectory(dir=folder) as own:
        command = [sys.executable, "-m", "bench.ledger.one_size", str(size), own]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        told = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True).stdout
    figures: dict[str, Any] = json.loads(told)
    return figures


def _show(machine: Machine, measured: list[dict[str, Any]]) -> None:
    sizes = [figures["size"] for figures in measured]
    table = Table(
        title=f"One log at {len(sizes)} sizes, {CALLERS} callers at once",
        caption="append: the log's last tenth, at least 5,000 entries. proof: median of 200. search: slowest of 20.",
    )
    table.add_column("", no_wrap=True)
    for size in sizes:
        table.add_column(f"{size:,}", justify="right", no_wrap=True)
    for smaller, larger in pairwise(sizes):
        table.add_column(f"x, of {larger / smaller:,.0f}", justify="right", no_wrap=True)
    for name in list(measured[0])[1:]:
        values = [figures[name] for figures in measured]
        growth = [f"{larger / smaller:.2f}" for smaller, larger in pairwise(values)]
        table.add_row(name, *map(_rounded, values), *growth)
    console = Console(highlight=False)
    console.width = max(console.width, WIDEST)
    console.print(table)
    console.print(f"Machine: {machine}.", soft_wrap=True)
    console.print("Proof: every log was exported and verifies.", soft_wrap=True)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="entries, as 1000,100000,2000000 (the default)")
    parser.add_argument("--folder", type=Path, help="the disk to measure; needs 4 KB an entry, freed at the end")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    return parser.parse_args()


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(map(int, text.split(",")))
    if any(size < SMALLEST or size % ENTRIES_EACH for size in sizes) or list(sizes) != sorted(set(sizes)):
        raise argparse.ArgumentTypeError(f"rising multiples of {ENTRIES_EACH}, from {SMALLEST} on")
    return sizes


if __name__ == "__main__":
    sys.exit(main())
