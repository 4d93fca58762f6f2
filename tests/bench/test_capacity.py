"""The page's table is what the arithmetic prints from the figures as they stand, and the arithmetic is right."""

from pathlib import Path

import pytest

from bench.capacity import Assumed, Measured, row, size, table

PAGE = Path(__file__).resolve().parents[2] / "broker" / "deployment" / "README.md"


def test_the_page_shows_what_the_figures_come_to() -> None:
    assert table(Measured(), Assumed()) in PAGE.read_text(encoding="utf-8"), "run `python -m bench.capacity`, paste it"


def test_one_row_by_hand() -> None:
    measured = Measured(cpu_us=1000, changes_a_second=1200, bytes_kept=1000)
    assumed = Assumed(busiest_hour=0.25, cores=4, busy=0.5, changes_a_call=2)
    # 1,440,000 a day, 360,000 in the hour, 100 a second: 0.1 of a core, 300 changes a second, a quarter of 1,200
    one = row(1_440_000, measured, assumed)
    assert (one.a_second, one.machines, one.logs) == (100, 2, 1)
    assert one.cores == pytest.approx(0.1)
    assert one.of_one_head == pytest.approx(0.25)
    assert one.bytes_a_year == pytest.approx(525.6e9)
    # Forty times as much: 4 cores of which 2 of each machine count, and ten heads' worth, each used to half
    more = row(40 * 1_440_000, measured, assumed)
    assert (more.machines, more.logs) == (3, 20)


def test_sizes_are_told_in_their_unit() -> None:
    assert [size(count) for count in (5e6, 2e9, 3.25e12)] == ["5 MB", "2.0 GB", "3.2 TB"]
