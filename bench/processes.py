"""The processes of a run: the broker under test is started and ended here, and everybody's CPU time is read here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.failure import RunFailed
from connectors.departments.fleet import Fleet

_ROOT: Final = Path(__file__).resolve().parents[1]
TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds: how finely the kernel tells CPU time."""
_END_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Processes:
    """Who runs beside us, where the broker listens and the key its log is held against."""

    server: int
    departments: tuple[int, ...]
    port: int
    vkey: str
    """Pinned when the log was empty."""

    def cpu(self) -> "CpuTimes":
        """CPU seconds of every party until now."""
        return CpuTimes(_cpu_of(self.server), sum(map(_cpu_of, self.departments)), _cpu_of(os.getpid()))


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU seconds, the kernel's on their behalf included."""

    server: float
    departments: float
    generator: float

    def since(self, before: "CpuTimes") -> "CpuTimes":
        return CpuTimes(
            self.server - before.server,
            self.departments - before.departments,
            self.generator - before.generator,
        )


@contextmanager
def running(folder: Path) -> Iterator[Processes]:
    """Start the four departments and a broker below `folder`. Raises RunFailed if the broker does not come or go."""
    with Fleet.start(folder / "departments") as fleet:
        departments = tuple(_children())
        with (folder / "server.log").open("wb") as log:
            child = _start(folder / "broker", fleet, log.fileno())
        try:
            assert child.stdout is not None
            ready = json.loads(child.stdout.readline() or "{}")
            if not ready:
                raise RunFailed(f"the broker did not start:\n{(folder / 'server.log').read_text(encoding='utf-8')}")
            yield Processes(child.pid, departments, ready["port"], ready["vkey"])
        finally:
            _end(child)


def _start(folder: Path, fleet: Fleet, log: int) -> "subprocess.Popen[bytes]":
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.server", str(folder), str(fleet.routes_file), str(fleet.secrets_folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def _end(child: "subprocess.Popen[bytes]") -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    try:
        child.wait(_END_SECONDS)
    except subprocess.TimeoutExpired as error:
        child.kill()
        child.wait()
        raise RunFailed("the broker did not end in order") from error
    finally:
        child.stdout.close()


def _children() -> list[int]:
    """Processes that this one's main thread started."""
    pid = os.getpid()
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _cpu_of(pid: int) -> float:
    # the command's name stands in parentheses and may hold anything; utime and stime are fields 14 and 15 (proc(5))
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK
