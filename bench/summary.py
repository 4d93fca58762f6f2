"""From repeats to rows: which repeats count, and the median, least and greatest of what they showed."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.load import Window
from bench.measure import CALLERS, CASES, Case, Repeat

SLOW_HELLO: Final = 0.5
"""A repeat whose hello is under this share of the run's median met a machine that was busy with something else."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Over repeats."""

    median: float
    least: float
    greatest: float

    @classmethod
    def over(cls, values: Iterable[float]) -> "Spread":
        known = list(values)
        return cls(statistics.median(known), min(known), max(known))

    def members(self) -> dict[str, float]:
        return {"median": round(self.median, 4), "min": round(self.least, 4), "max": round(self.greatest, 4)}

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.least:.3f} to {self.greatest:.3f})"


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the windows that count."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """The server's, per request."""
    server: float
    """CPU seconds per second: 1 is a core."""
    departments: float
    generator: float

    @classmethod
    def over(cls, windows: Sequence[Window]) -> "Figures":
        def median(figure: Callable[[Window], float]) -> float:
            return statistics.median(map(figure, windows))

        return cls(
            rate=median(lambda window: window.rate),
            p50_ms=median(lambda window: window.percentile(0.5) * 1000),
            p99_ms=median(lambda window: window.percentile(0.99) * 1000),
            cpu_us=median(lambda window: window.cpu_each * 1_000_000),
            server=median(lambda window: window.cpu.server / window.seconds),
            departments=median(lambda window: window.cpu.departments / window.seconds),
            generator=median(lambda window: window.cpu.generator / window.seconds),
        )

    def members(self) -> dict[str, Any]:
        return {
            "requests_per_second": round(self.rate, 1),
            "p50_ms": round(self.p50_ms, 3),
            "p99_ms": round(self.p99_ms, 3),
            "cpu_us": round(self.cpu_us, 1),
            "cores": {
                "server": round(self.server, 2),
                "departments": round(self.departments, 2),
                "generator": round(self.generator, 2),
            },
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One case."""

    case: Case
    figures: Figures
    of_hello_rate: Spread
    """Exchanges per second over hellos per second."""
    of_hello_cpu: Spread
    """A hello's CPU over an exchange's: as the above, greater is better."""

    def members(self) -> dict[str, Any]:
        return {
            "items": len(self.case.items),
            "callers": self.case.callers,
            **self.figures.members(),
            "of_hello": {
                "requests_per_second": self.of_hello_rate.members(),
                "cpu": self.of_hello_cpu.members(),
            },
        }


@dataclass(frozen=True, slots=True)
class Summary:
    hellos: dict[int, Figures]
    """By number of callers."""
    rows: tuple[Row, ...]
    """Without the cases that kept no repeat."""
    dropped: int
    """Repeats that do not count."""

    def members(self) -> dict[str, Any]:
        """As in the JSON output."""
        hellos = [{"callers": callers, **figures.members()} for callers, figures in self.hellos.items()]
        return {"hello": hellos, "exchange": [row.members() for row in self.rows], "dropped": self.dropped}


def summarise(repeats: Sequence[Repeat]) -> Summary:
    """Judge each repeat by the hellos of as many callers; there is at least one of each."""
    by_callers = {callers: _kept([one for one in repeats if one.case.callers == callers]) for callers in CALLERS}
    hellos = {callers: Figures.over([one.hello for one in kept]) for callers, kept in by_callers.items()}
    by_case = {case: [one for one in by_callers[case.callers] if one.case == case] for case in CASES}
    rows = tuple(_row(case, kept) for case, kept in by_case.items() if kept)
    return Summary(hellos, rows, len(repeats) - sum(map(len, by_callers.values())))


def _kept(repeats: Sequence[Repeat]) -> list[Repeat]:
    usual = statistics.median(one.hello.rate for one in repeats)
    return [one for one in repeats if one.hello.rate >= usual * SLOW_HELLO]


def _row(case: Case, kept: Sequence[Repeat]) -> Row:
    return Row(
        case,
        Figures.over([one.exchange for one in kept]),
        of_hello_rate=Spread.over(one.exchange.rate / one.hello.rate for one in kept),
        of_hello_cpu=Spread.over(one.hello.cpu_each / one.exchange.cpu_each for one in kept),
    )
