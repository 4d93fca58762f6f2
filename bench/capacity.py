"""python -m bench.capacity: calls a day -> machines and disks, by arithmetic from measured figures.

The figures below are the only ones; each says where it was measured. The rest is division.
"""

import math
import sys
from dataclasses import dataclass
from typing import Final

CALLS_A_DAY: Final = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
SECONDS_AN_HOUR: Final = 3600
DAYS_A_YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Measured:
    """What one call costs."""

    cpu_us: float = 4444
    """CPU of the broker's process for an exchange of four items: `make bench`, row "4", 16 callers."""
    changes_a_second: float = 3200
    """That pass the log's head on PostgreSQL: `python -m bench.head`, which does as well with a synchronous standby."""
    bytes_kept: float = 12_200
    """In the database for an exchange, with its share of a consent used three times: `python -m bench.footprint`."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What nobody has measured for you. Put in your own."""

    busiest_hour: float = 0.2
    """Share of a day's calls. Counters are open for eight hours, and mornings are busy."""
    cores: int = 8
    """Of one machine that runs the broker, a process each."""
    busy: float = 0.5
    """Of its cores at the busiest hour: room for pages, minutes busier than their hour, and a log that grows."""
    changes_a_call: int = 2
    """Admission and release; a consent's own changes are a third of a call's at three uses, see `row`."""


@dataclass(frozen=True, slots=True)
class Row:
    """What so many calls a day need."""

    calls: int
    a_second: float
    """In the busiest hour."""
    cores: float
    machines: int
    """One more than carry the load: any one may be down or be replaced."""
    of_one_head: float
    """Share of what passes one log's head."""
    bytes_a_year: float

    @property
    def logs(self) -> int:
        """Origins needed where one is used to half at most."""
        return max(1, math.ceil(self.of_one_head / 0.5))


def row(calls: int, measured: Measured, assumed: Assumed) -> Row:
    a_second = calls * assumed.busiest_hour / SECONDS_AN_HOUR
    cores = a_second * measured.cpu_us / 1e6
    carrying = max(1, math.ceil(cores / (assumed.cores * assumed.busy)))
    changes = a_second * (assumed.changes_a_call + 1)  # at three uses a consent's three changes are one a call
    return Row(
        calls,
        a_second,
        cores,
        carrying + 1,
        changes / measured.changes_a_second,
        calls * DAYS_A_YEAR * measured.bytes_kept,
    )


def table(measured: Measured, assumed: Assumed) -> str:
    """The table as it stands on the page."""
    lines = [
        "| calls a day | a second, busiest hour | cores | machines | of one head | logs | database a year |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for calls in CALLS_A_DAY:
        one = row(calls, measured, assumed)
        lines.append(
            f"| {calls:,} | {one.a_second:,.1f} | {one.cores:,.2f} | {one.machines} | {one.of_one_head:.1%}"
            f" | {one.logs} | {size(one.bytes_a_year)} |"
        )
    return "\n".join(lines) + "\n"


def size(count: float) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count / 1e6:,.0f} MB"


if __name__ == "__main__":
    sys.stdout.write(table(Measured(), Assumed()))
