"""What a run ran on, in one line: a ratio without its machine says little."""

import os
import platform
import sqlite3
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Machine:
    cores: int
    load: float
    """Of the last minute, before the run: others' work on the same cores."""
    architecture: str
    python: str
    sqlite: str
    fsync_ms: float
    """Median of one small append made durable, where the database stands."""

    @classmethod
    def probe(cls, folder: Path) -> "Machine":
        """Look at this machine, and at the disk below `folder`."""
        return cls(
            cores=len(os.sched_getaffinity(0)),
            load=round(os.getloadavg()[0], 2),
            architecture=platform.machine(),
            python=platform.python_version(),
            sqlite=sqlite3.sqlite_version,
            fsync_ms=round(_fsync_seconds(folder / "fsync-probe") * 1000, 3),
        )

    def members(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.architecture}, load {self.load} before), Python {self.python}, "
            f"SQLite {self.sqlite}, fsync {self.fsync_ms} ms"
        )


def _fsync_seconds(file: Path) -> float:
    times = []
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for _ in range(_TRIES):
            began = time.perf_counter()
            os.write(descriptor, bytes(4096))
            os.fsync(descriptor)
            times.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        file.unlink()
    return statistics.median(times)
