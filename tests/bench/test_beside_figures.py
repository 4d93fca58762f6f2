"""Rows, ratios, table and charts of what stands beside each other; all figures here are made up."""

import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from bench.beside.charts import charts_of, drawn, ticks_to, write_charts
from bench.beside.due import Latency
from bench.beside.measure import Repeat
from bench.beside.rows import AS_IT_IS, POSTGRESQL, SLOW, SQLITE, TRACED, Row, Setup, star
from bench.beside.summary import Compared, compare
from bench.beside.table import show_beside
from bench.load import Window
from bench.processes import CpuTimes

BASE = Row(Setup(SQLITE, 1, AS_IT_IS), items=3, delay_ms=0, uses=5)
MIB = 1 << 20


def window(rate: float, cpu: float = 0.5) -> Window:
    count = int(rate)
    return Window(count / rate, [1 / rate] * count, CpuTimes(cpu * count / 100, 0.1, 0.1), [])


def repeat(number: int, row: Row, hello: float, plain: float, ours: float) -> Repeat:
    return Repeat(number, row, window(hello), window(plain, 2.0), window(ours, 1.0), 100 * MIB, 80 * MIB)


def two_rows() -> Compared:
    other = replace(BASE, items=1)
    repeats = [
        repeat(0, BASE, 1000, 10, 100),
        repeat(1, BASE, 800, 8, 160),
        repeat(0, other, 1000, 20, 300),
        repeat(1, other, 1000, 20, 320),
    ]
    late = replace(BASE, delay_ms=50)
    latencies = [Latency(late, 100, [0.051, 0.053, 0.060], [0.050, 0.051, 0.052])]
    return compare(repeats, latencies)


def test_every_further_value_makes_a_row_that_differs_in_it_alone() -> None:
    rows = star({"store": [SQLITE, POSTGRESQL], "processes": [1, 2, 4]}, {"items": [3, 1, 5], "uses": [5, 1]})
    assert rows[0] == BASE
    differing = [row.beside(rows[0]) for row in rows[1:]]
    assert differing == ["1 item", "5 items", "consents of 1 use", "PostgreSQL", "2 processes", "4 processes"]
    assert rows[0].beside(rows[0]) == "SQLite, 1 process, 3 items, departments at 0 ms, consents of 5 uses"


def test_ratios_are_taken_within_each_repeat() -> None:
    base, other = two_rows().rows
    assert (base.of_plain.least, base.of_plain.median, base.of_plain.greatest) == (10, 15, 20)
    assert (base.of_hello.least, base.of_hello.greatest) == (0.1, 0.2)
    assert base.of_plain_cpu.median == pytest.approx(2)
    assert (base.plain_mib, base.our_mib) == (100, 80)
    assert base.our_kept is None
    assert other.our_kept is not None
    assert (other.our_kept.least, other.our_kept.greatest) == (2, 3)


def test_a_repeat_whose_hello_was_slow_is_dropped_in_its_own_setup_alone() -> None:
    four = replace(BASE, setup=replace(BASE.setup, processes=4))
    repeats = [repeat(number, BASE, hello, 10, 100) for number, hello in enumerate((1000, 1000, 499))]
    repeats += [repeat(number, four, hello, 10, 200) for number, hello in enumerate((400, 400, 400))]
    compared = compare(repeats, [])
    assert compared.dropped == 1
    kept = compared.rows[1].our_kept
    assert kept is not None
    assert (kept.least, kept.greatest) == (2, 2)


def test_the_slow_disk_is_held_against_the_same_tracing() -> None:
    traced, slow = (replace(BASE, setup=replace(BASE.setup, disk=disk)) for disk in (TRACED, SLOW))
    repeats = [repeat(0, BASE, 900, 90, 400), repeat(0, traced, 900, 50, 200), repeat(0, slow, 900, 10, 180)]
    compared = compare(repeats, [])
    assert [row.against for row in compared.rows] == [BASE, BASE, traced]
    kept, plain = compared.rows[2].our_kept, compared.rows[2].plain_kept
    assert kept is not None
    assert plain is not None
    assert kept.median == pytest.approx(0.9)
    assert plain.median == pytest.approx(0.2)


def test_what_is_added_is_the_difference_within_each_window() -> None:
    late = replace(BASE, delay_ms=50)
    windows = [Latency(late, 100, [0.052], [0.050]), Latency(late, 100, [0.090], [0.080])]
    for one in compare([repeat(0, BASE, 1000, 10, 100)], windows).latency:
        assert one.added.least == pytest.approx(2)
        assert one.added.greatest == pytest.approx(10)


def test_the_tables_hold_what_was_measured() -> None:
    out = io.StringIO()
    show_beside(Console(file=out, width=240), two_rows())
    for figure in ("15.000 (10.000 to 20.000)", "0.150 (0.100 to 0.200)", "320", "p99"):
        assert figure in out.getvalue()


def test_a_bar_ends_at_its_median_and_its_whisker_at_least_and_greatest(tmp_path: Path) -> None:
    compared = two_rows()
    assert [file.name for file in write_charts(tmp_path, compared)] == [
        "times-plain.svg",
        "of-hello.svg",
        "latency.svg",
    ]
    drawing = ET.parse(tmp_path / "times-plain.svg").getroot()
    bars = [one for one in drawing.iterfind(".//{*}rect") if one.get("class") == "first"]
    whiskers = [one.get("d", "") for one in drawing.iterfind(".//{*}path")]
    axis = float(bars[0].get("x", ""))
    for row, bar, whisker in zip(compared.rows, bars, whiskers, strict=True):
        per_unit = float(bar.get("width", "")) / row.of_plain.median
        ends = [float(end) for end in re.findall(r"(?:M|H)([0-9.]+)", whisker)[:2]]
        assert ends == [
            pytest.approx(axis + per_unit * one, abs=0.1) for one in (row.of_plain.least, row.of_plain.greatest)
        ]
    words = {one.text for one in drawing.iterfind(".//{*}text")}
    assert {"1 item", "base", "15", "times as many"} <= words
    assert any(text.endswith(BASE.beside(BASE)) for text in words if text)


def test_nothing_is_drawn_of_what_was_not_measured() -> None:
    assert set(charts_of(compare([repeat(0, BASE, 1000, 10, 100)], []))) == {"times-plain", "of-hello"}


@pytest.mark.parametrize(
    ("greatest", "last", "count"), [(0.0139, 0.015, 4), (2.9, 3, 7), (119, 120, 7), (20, 20, 5), (0, 1, 2)]
)
def test_an_axis_ends_at_the_next_round_value(greatest: float, last: float, count: int) -> None:
    ticks = ticks_to(greatest)
    assert ticks[-1] == pytest.approx(last)
    assert len(ticks) == count


def test_words_of_others_cannot_break_a_picture() -> None:
    (chart,) = list(charts_of(compare([repeat(0, BASE, 1000, 10, 100)], [])).values())[:1]
    bent = replace(chart, title="<&>", bars=(replace(chart.bars[0], label="a<b"),))
    assert "a<b" in {one.text for one in ET.fromstring(drawn(bent)).iterfind(".//{*}text")}


def test_a_base_that_kept_nothing_is_still_what_the_others_are_named_by() -> None:
    other = replace(BASE, items=1)
    compared = compare([repeat(0, BASE, 100, 10, 50), *(repeat(number, other, 1000, 10, 50) for number in (0, 1))], [])
    assert [bar.label for bar in charts_of(compared)["of-hello"].bars] == ["1 item"]
    assert compared.rows[0].our_kept is None
    assert compared.base == BASE
