"""The processes of a run: the programs under test are started and ended here, and everybody's CPU time is read here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.failure import RunFailed
from policies.catalogue import SHIPPED_CATALOGUE

_ROOT: Final = Path(__file__).resolve().parents[1]
TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds: how finely the kernel tells CPU time."""
_END_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Processes:
    """Who runs beside us, where the program under test listens and, of a broker, the key its log is held against."""

    folder: Path
    """The program's own."""
    servers: tuple[int, ...]
    departments: tuple[int, ...]
    ports: tuple[int, ...]
    """One of each server."""
    vkey: str = ""
    """Pinned when the log was empty."""

    def memory(self) -> int:
        """Resident bytes of the servers."""
        return sum(map(_resident, self.servers))

    def cpu(self) -> "CpuTimes":
        """CPU seconds of every party until now."""
        return CpuTimes(sum(map(_cpu_of, self.servers)), sum(map(_cpu_of, self.departments)), _cpu_of(os.getpid()))


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


@dataclass(frozen=True, slots=True)
class Founding:
    """What a new broker is given."""

    routes: Path
    route_secrets: Path
    database: str = "broker.db"
    catalogue: Path = SHIPPED_CATALOGUE
    decided: bool = True
    """Without it step 5 is left out, to see what it costs."""

    def words(self) -> list[str]:
        """As bench.server's options."""
        members = {"routes": self.routes, "route-secrets": self.route_secrets, "catalogue": self.catalogue}
        words = [f"--{name}={value}" for name, value in {**members, "database": self.database}.items()]
        return words if self.decided else [*words, "--undecided"]


@contextmanager
def running(
    folder: Path, founding: Founding, departments: tuple[int, ...], count: int = 1, under: Sequence[str] = ()
) -> Iterator[Processes]:
    """A new broker in `folder`, of so many processes, that asks these departments. Raises RunFailed."""
    with (
        ready("bench.server", [[str(folder), *founding.words()]], folder.with_suffix(".first"), under) as first,
        ready("bench.server", [[str(folder)]] * (count - 1), folder.with_suffix(".further"), under) as further,
    ):
        each = [*first, *further]
        yield Processes(folder, pids(each), departments, ports(each), each[0]["vkey"])


def pids(ready_lines: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(line["pid"] for line in ready_lines)


def ports(ready_lines: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(line["port"] for line in ready_lines)


@contextmanager
def ready(
    module: str, words_of_each: Sequence[Sequence[str]], logs: Path, under: Sequence[str] = ()
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Processes of a program of ours, started and ended side by side, `under` another one if so.

    What each said when it was ready; on stderr each writes to a file below `logs`. Raises RunFailed.
    """
    logs.mkdir(parents=True)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, words in enumerate(words_of_each):
            with (logs / f"{number}.log").open("wb") as log:
                running.append(_start([*under, sys.executable, "-m", module, *words], log.fileno()))
        yield [_told(child, module, logs / f"{number}.log") for number, child in enumerate(running)]
    finally:
        _end(running)


def _told(child: "subprocess.Popen[bytes]", module: str, log: Path) -> Mapping[str, Any]:
    assert child.stdout is not None
    told: dict[str, Any] = json.loads(child.stdout.readline() or "{}")
    if not told:
        raise RunFailed(f"{module} did not start:\n{log.read_text(encoding='utf-8')}")
    return told


def _start(words: Sequence[str], log: int) -> "subprocess.Popen[bytes]":
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def _end(running: "Sequence[subprocess.Popen[bytes]]") -> None:
    for child in running:
        assert child.stdin is not None
        child.stdin.close()
    for child in running:
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired as error:
            for one in running:
                one.kill()
            raise RunFailed("a program did not end in order") from error
        finally:
            assert child.stdout is not None
            child.stdout.close()


def children() -> tuple[int, ...]:
    """Processes that this one's main thread started."""
    pid = os.getpid()
    return tuple(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))


def _cpu_of(pid: int) -> float:
    # the command's name stands in parentheses and may hold anything; utime and stime are fields 14 and 15 (proc(5))
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def _resident(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
