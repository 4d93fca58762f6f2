"""`python -m bench.ledger` runs to its end, proves its logs and says what it measured; how fast is nobody's test."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def bench(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench.ledger", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_a_small_run_ends_well_and_shows_every_figure(tmp_path: Path) -> None:
    run = bench("--sizes", "300,600", "--json", "--folder", tmp_path)
    assert run.returncode == 0, run.stderr
    shown: dict[str, Any] = json.loads(run.stdout)
    assert shown["callers"] > 64
    assert [figures["size"] for figures in shown["sizes"]] == [300, 600]
    names = list(shown["sizes"][0])
    assert all(list(figures) == names for figures in shown["sizes"])
    assert {name.split(":")[0] for name in names[1:]} == {
        "append",
        "database MB",
        "proof",
        "search",
        "unusual",
        "export",
        "verify",
    }
    searched = {name.removeprefix("search: ").removesuffix(" ms") for name in names if name.startswith("search")}
    assert {"person", "requester", "operator", "item", "matter and case", "month", "event"} < searched
    assert all(value > 0 for figures in shown["sizes"] for value in figures.values())
    assert list(tmp_path.iterdir()) == []


def test_sizes_that_make_no_whole_cases_are_refused() -> None:
    run = bench("--sizes", "301")
    assert (run.returncode, run.stdout) == (2, "")
