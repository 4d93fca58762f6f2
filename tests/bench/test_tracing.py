"""The slow disk is slow, and where nothing can be traced that is said."""

import subprocess
import sys

import pytest

from bench.tracing import TRACED, slowed, whats_missing

SECONDS_OF_ONE_FSYNC = (
    "import os, tempfile, time; file = tempfile.TemporaryFile(); began = time.perf_counter();"
    " os.fsync(file.fileno()); print(time.perf_counter() - began)"
)


def seconds(under: tuple[str, ...]) -> float:
    command = [*under, sys.executable, "-c", SECONDS_OF_ONE_FSYNC]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_each_fsync_returns_later() -> None:
    if missing := whats_missing():
        pytest.skip(f"SLOW DISK NOT TESTED, {missing}")
    assert seconds(slowed(300)) >= 0.3
    assert seconds(TRACED) > 0


def test_without_strace_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert whats_missing() == "there is no strace"
