"""From repeats to rows: ratios are taken within a repeat, of windows that followed each other."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bench.beside.due import Latency
from bench.beside.measure import Repeat
from bench.beside.rows import SLOW, TRACED, Row
from bench.load import Window, part_of
from bench.summary import SLOW_HELLO, Figures, Spread

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Beside:
    """One row. Ratios are ours over the other's, so greater is better; of CPU it is the other's over ours."""

    row: Row
    hello: Figures
    plain: Figures
    ours: Figures
    of_hello: Spread
    of_hello_cpu: Spread
    of_plain: Spread
    of_plain_cpu: Spread
    our_mib: float
    plain_mib: float
    against: Row
    """The row that this one is held against: the base; of the slow disk, the one that is only traced."""
    our_kept: Spread | None
    """Our rate over our rate there, of the same repeat; None where no repeat kept both."""
    plain_kept: Spread | None

    def members(self) -> dict[str, Any]:
        kept = {"ours": self.our_kept, "plain": self.plain_kept}
        return {
            **self.row.members(),
            "hello": self.hello.members(),
            "plain": {**self.plain.members(), "memory_mib": round(self.plain_mib, 1)},
            "ours": {**self.ours.members(), "memory_mib": round(self.our_mib, 1)},
            "of_hello": {"requests_per_second": self.of_hello.members(), "cpu": self.of_hello_cpu.members()},
            "of_plain": {"requests_per_second": self.of_plain.members(), "cpu": self.of_plain_cpu.members()},
            "kept": {
                "against": self.against.members(),
                **{name: spread.members() for name, spread in kept.items() if spread is not None},
            },
        }


@dataclass(frozen=True, slots=True)
class Added:
    """One row's latency at a steady rate, in milliseconds: one percentile."""

    row: Row
    rate: float
    """Exchanges a second."""
    part: float
    ours: Spread
    alone: Spread
    """Of the departments, asked at the same rate by the generator itself."""
    added: Spread
    """The difference within each window."""

    def members(self) -> dict[str, Any]:
        figures = {"ours_ms": self.ours, "departments_alone_ms": self.alone, "added_ms": self.added}
        shown = {name: spread.members() for name, spread in figures.items()}
        return {**self.row.members(), "rate": self.rate, "percentile": self.part * 100, **shown}


@dataclass(frozen=True, slots=True)
class Compared:
    base: Row
    rows: tuple[Beside, ...]
    """Without those that kept no repeat."""
    latency: tuple[Added, ...]
    dropped: int
    """Repeats that do not count."""
    recorded: bool = False
    """Whether one process answered for all departments, from memory."""

    def members(self) -> dict[str, Any]:
        """As in the JSON output."""
        return {
            "base": self.base.members(),
            "rows": [row.members() for row in self.rows],
            "latency": [one.members() for one in self.latency],
            "dropped": self.dropped,
            "departments": "recorded" if self.recorded else "test",
        }


def compare(repeats: Sequence[Repeat], latencies: Sequence[Latency]) -> Compared:
    """Judge each repeat by the hellos of its setup; there is at least one, and the first is of the base."""
    kept = [one for one in repeats if one.hello.rate >= SLOW_HELLO * _usual_hello(one, repeats)]
    by_row = {row: {one.number: one for one in kept if one.row == row} for row in dict.fromkeys(r.row for r in repeats)}
    rows = tuple(_beside(row, by_row) for row, some in by_row.items() if some)
    timed = {row: [one for one in latencies if one.row == row] for row in dict.fromkeys(one.row for one in latencies)}
    latency = tuple(_added(row, some, part) for row, some in timed.items() for part in (0.5, 0.99))
    return Compared(repeats[0].row, rows, latency, len(repeats) - len(kept))


def _usual_hello(one: Repeat, repeats: Sequence[Repeat]) -> float:
    return statistics.median(other.hello.rate for other in repeats if other.row.setup == one.row.setup)


def _beside(row: Row, by_row: Mapping[Row, Mapping[int, Repeat]]) -> Beside:
    kept = list(by_row[row].values())
    against = _against(row, next(iter(by_row)))
    there = by_row.get(against, {})
    both = [(one, there[number]) for number, one in by_row[row].items() if number in there and row != against]
    return Beside(
        row,
        hello=Figures.over([one.hello for one in kept]),
        plain=Figures.over([one.plain for one in kept]),
        ours=Figures.over([one.ours for one in kept]),
        of_hello=_rates([(one.ours, one.hello) for one in kept]),
        of_hello_cpu=_cpu([(one.ours, one.hello) for one in kept]),
        of_plain=_rates([(one.ours, one.plain) for one in kept]),
        of_plain_cpu=_cpu([(one.ours, one.plain) for one in kept]),
        our_mib=statistics.median(one.our_memory for one in kept) / MIB,
        plain_mib=statistics.median(one.plain_memory for one in kept) / MIB,
        against=against,
        our_kept=_rates([(one.ours, other.ours) for one, other in both]) if both else None,
        plain_kept=_rates([(one.plain, other.plain) for one, other in both]) if both else None,
    )


def _against(row: Row, base: Row) -> Row:
    return replace(row, setup=replace(row.setup, disk=TRACED)) if row.setup.disk == SLOW else base


def _rates(pairs: Sequence[tuple[Window, Window]]) -> Spread:
    return Spread.over(one.rate / other.rate for one, other in pairs)


def _cpu(pairs: Sequence[tuple[Window, Window]]) -> Spread:
    return Spread.over(other.cpu_each / one.cpu_each for one, other in pairs)


def _added(row: Row, windows: Sequence[Latency], part: float) -> Added:
    timed = [(part_of(one.ours, part) * 1000, part_of(one.alone, part) * 1000) for one in windows]
    return Added(
        row,
        windows[0].rate,
        part,
        ours=Spread.over(ours for ours, _ in timed),
        alone=Spread.over(alone for _, alone in timed),
        added=Spread.over(ours - alone for ours, alone in timed),
    )
