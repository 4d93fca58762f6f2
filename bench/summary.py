"""From repeats to rows: which repeats count, and the median, least and greatest of what they showed."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.cases import MIXED, PLAIN, Case
from bench.load import Window
from bench.measure import Repeat

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
            "name": self.case.name,
            "items": len(self.case.items),
            "status": self.case.status,
            "callers": self.case.callers,
            **self.figures.members(),
            "of_hello": {
                "requests_per_second": self.of_hello_rate.members(),
                "cpu": self.of_hello_cpu.members(),
            },
        }


@dataclass(frozen=True, slots=True)
class Mix:
    """The same items through many kinds and all over plain http JSON, right after each other."""

    callers: int
    rate: Spread
    """Exchanges per second, the mix over plain."""
    cpu: Spread
    """CPU of an exchange, plain over the mix: as the above, greater is better."""

    def members(self) -> dict[str, Any]:
        return {"callers": self.callers, "requests_per_second": self.rate.members(), "cpu": self.cpu.members()}


@dataclass(frozen=True, slots=True)
class Summary:
    hellos: dict[int, Figures]
    """By number of callers."""
    rows: tuple[Row, ...]
    """Without the cases that kept no repeat."""
    mixes: tuple[Mix, ...]
    dropped: int
    """Repeats that do not count."""

    def members(self) -> dict[str, Any]:
        """As in the JSON output."""
        hellos = [{"callers": callers, **figures.members()} for callers, figures in self.hellos.items()]
        return {
            "hello": hellos,
            "exchange": [row.members() for row in self.rows],
            "mix_of_plain": [mix.members() for mix in self.mixes],
            "dropped": self.dropped,
        }


def summarise(repeats: Sequence[Repeat]) -> Summary:
    """Judge each repeat by the hellos of as many callers; there is at least one."""
    every = sorted({one.case.callers for one in repeats})
    by_callers = {callers: _kept([one for one in repeats if one.case.callers == callers]) for callers in every}
    hellos = {callers: Figures.over([one.hello for one in kept]) for callers, kept in by_callers.items()}
    cases = dict.fromkeys(one.case for one in repeats)
    by_case = {case: [one for one in by_callers[case.callers] if one.case == case] for case in cases}
    rows = tuple(_row(case, kept) for case, kept in by_case.items() if kept)
    mixes = tuple(mix for callers, kept in by_callers.items() for mix in _mix(callers, kept))
    return Summary(hellos, rows, mixes, len(repeats) - sum(map(len, by_callers.values())))


def _mix(callers: int, kept: Sequence[Repeat]) -> Iterator[Mix]:
    """Compared within each repeat of the run that kept both."""
    plain, mixed = (
        {one.number: one.exchange for one in kept if one.case.broker == broker} for broker in (PLAIN, MIXED)
    )
    pairs = [(plain[number], mixed[number]) for number in plain.keys() & mixed.keys()]
    if pairs:
        yield Mix(
            callers,
            rate=Spread.over(mix.rate / alone.rate for alone, mix in pairs),
            cpu=Spread.over(alone.cpu_each / mix.cpu_each for alone, mix in pairs),
        )


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
