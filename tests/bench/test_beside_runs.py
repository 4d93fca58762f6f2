"""The ground `beside` runs to its end, proves both logs and says what it measured; how fast is nobody's test."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {"requests_per_second", "p50_ms", "p99_ms", "cpu_us", "cores"}
RATIOS = {"requests_per_second", "cpu"}
ROW = {"store": "SQLite", "processes": 2, "disk": "as it is", "items": 2, "delay_ms": 0, "uses": 5}


def test_a_short_run_shows_the_three_beside_each_other(tmp_path: Path) -> None:
    options = ["--only", "beside", "--seconds", "0.1", "--repeats", "1", "--phones", "1", "--recorded", "--json"]
    options += ["--stores", "sqlite", "--processes", "2", "--items", "2", "--delays", "0", "--uses", "5"]
    options += ["--rate", "20", "--rate-seconds", "0.2", "--charts", str(tmp_path / "charts")]
    (tmp_path / "disk").mkdir()
    command = [sys.executable, "-m", "bench", *options, "--folder", str(tmp_path / "disk")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    shown: dict[str, Any] = json.loads(run.stdout)
    assert shown["beside"]["departments"] == "recorded"
    (row,) = shown["beside"]["rows"]
    assert {name: row[name] for name in ROW} == ROW
    assert set(row["hello"]) == FIGURES
    assert set(row["ours"]) == set(row["plain"]) == FIGURES | {"memory_mib"}
    for ratio in (row["of_hello"], row["of_plain"]):
        assert set(ratio) == RATIOS
        assert all(set(spread) == {"median", "min", "max"} for spread in ratio.values())
    p50, p99 = shown["beside"]["latency"]
    assert (p50["percentile"], p99["percentile"]) == (50, 99)
    for timed in (p50, p99):
        assert timed["delay_ms"] == 50
        # A timer may go off a little early; a department that was never told to be slow answers far sooner
        assert timed["departments_alone_ms"]["min"] >= 40
        added = timed["ours_ms"]["median"] - timed["departments_alone_ms"]["median"]
        assert abs(timed["added_ms"]["median"] - added) < 0.001
    # Both programs answered, and each answer is two entries at least
    assert shown["log"]["verified"] is True
    assert shown["log"]["entries"] >= 2 * shown["log"]["answers"] > 0
    for chart in ("times-plain", "of-hello", "latency"):
        assert ET.parse(tmp_path / "charts" / f"{chart}.svg").getroot().tag.endswith("svg")
    assert list((tmp_path / "disk").iterdir()) == []
