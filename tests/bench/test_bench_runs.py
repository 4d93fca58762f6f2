"""`python -m bench` runs to its end, proves its log and says what it measured; how fast is nobody's test."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {"requests_per_second", "p50_ms", "p99_ms", "cpu_us", "cores"}


def test_a_short_run_ends_well_and_shows_every_case(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--seconds", "0.3", "--repeats", "1", "--json", "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    shown: dict[str, Any] = json.loads(run.stdout)
    assert set(shown) == {"machine", "seconds", "repeats", "hello", "exchange", "dropped", "log"}
    assert set(shown["machine"]) == {"cores", "load", "architecture", "python", "sqlite", "fsync_ms"}
    assert [hello["callers"] for hello in shown["hello"]] == [1, 16]
    assert [set(hello) for hello in shown["hello"]] == [{"callers"} | FIGURES] * 2
    # A case whose only repeat met a busy machine is left out, and said to be
    cases = {(row["items"], row["callers"]) for row in shown["exchange"]}
    assert cases <= {(items, callers) for items in (1, 3, 4) for callers in (1, 16)}
    assert len(cases) == len(shown["exchange"]) == 6 - shown["dropped"]
    for row in shown["exchange"]:
        assert set(row) == {"items", "callers", "of_hello"} | FIGURES
        assert all(set(spread) == {"median", "min", "max"} for spread in row["of_hello"].values())
    assert shown["log"]["verified"] is True
    assert shown["log"]["entries"] > 2 * shown["log"]["answers"] > 0
    assert list(tmp_path.iterdir()) == []
