"""One run of the demo as a process, for every test that looks at what it did."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DEMO = (sys.executable, "-m", "broker", "demo")


@dataclass(frozen=True)
class Run:
    """What `demo --once --json --keep DIR` did."""

    folder: Path
    code: int
    stdout: str
    stderr: str
    group: int

    @property
    def told(self) -> Mapping[str, Any]:
        members: Mapping[str, Any] = json.loads(self.stdout)
        return members


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("demo with a space") / "new"
    command = [*DEMO, "--once", "--json", "--keep", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        stdout, stderr = process.communicate(timeout=120)
    return Run(folder, process.returncode, stdout, stderr, process.pid)


def anybody_left(group: int) -> bool:
    """Whether a process of this group still lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
