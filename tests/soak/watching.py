"""Memory, descriptors and threads of the living, every few seconds; and whether they stay as they are."""

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.soak.brokers import Broker

EVERY: Final = 2.0
"""Seconds."""
WARM: Final = 1 / 3
"""Of a life, until caches are as full as they get; then its next third is held against its last."""
FEWEST: Final = 30
"""Samples of a life that tells anything: a minute."""
MEBIBYTE: Final = 1024 * 1024
POOL: Final = (os.cpu_count() or 1) + 4
"""Threads that asyncio's pool has at most; it starts one only when all others are at work."""
MAY_GROW: Final[Mapping[str, tuple[float, float]]] = {
    "rss": (0.05, 4 * MEBIBYTE),
    "descriptors": (0, 10),
    "threads": (0, POOL),
}
"""By such a part, or by so much, whichever is more: a connection comes and goes."""


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    rss: float
    descriptors: float
    threads: float

    @classmethod
    def take(cls, pid: int) -> "Sample":
        """Raises OSError where it has just died."""
        process = Path(f"/proc/{pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="ascii").splitlines())
        descriptors = len(list((process / "fd").iterdir()))
        return cls(time.monotonic(), int(status["VmRSS"].split()[0]) * 1024, descriptors, int(status["Threads"]))


@dataclass(frozen=True, slots=True)
class Course:
    """How one figure of one life went: medians of its middle third and of its last."""

    life: str
    figure: str
    seconds: float
    before: float
    after: float

    @property
    def is_flat(self) -> bool:
        part, amount = MAY_GROW[self.figure]
        return self.after - self.before <= max(part * self.before, amount)


@dataclass
class Watch:
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def look(self, brokers: Sequence[Broker]) -> None:
        for broker in brokers:
            if broker.ready:
                try:
                    sample = Sample.take(broker.child.pid)
                except (OSError, KeyError):  # it died between two lines
                    continue
                self.samples.setdefault(f"{broker.name}.{broker.life}", []).append(sample)

    def courses(self) -> list[Course]:
        """Of every life that was long enough: a minute, and half as long as the longest.

        A shorter one ends while its caches still fill, and by as much more as the run, and so the database, is longer.
        """
        fewest = max([FEWEST, *(len(taken) / 2 for taken in self.samples.values())])
        return [
            _course(life, taken, figure)
            for life, taken in self.samples.items()
            if len(taken) >= fewest
            for figure in MAY_GROW
        ]


def _course(life: str, taken: Sequence[Sample], figure: str) -> Course:
    third = int(len(taken) * WARM)
    figures = [float(getattr(sample, figure)) for sample in taken]
    seconds = taken[-1].at - taken[0].at
    return Course(life, figure, seconds, statistics.median(figures[third:-third]), statistics.median(figures[-third:]))
