"""Which repeats count, and that ratios are taken within a repeat; all figures here are made up."""

import pytest

from bench.cases import CASES, MIXED, PLAIN, Case
from bench.load import Window
from bench.measure import Repeat
from bench.processes import CpuTimes
from bench.summary import summarise


def window(requests: int, seconds: float = 1.0, cpu: float = 0.5) -> Window:
    return Window(seconds, [seconds / requests] * requests, CpuTimes(cpu, 0.1, 0.1), [])


def repeats(case: Case, *hello_rates: int) -> list[Repeat]:
    return [Repeat(number, case, window(rate), window(100)) for number, rate in enumerate(hello_rates)]


def test_ratios_are_taken_within_each_repeat() -> None:
    every = [one for case in CASES for one in repeats(case, 1000, 800, 500)]
    row = summarise(every).rows[0]
    assert (row.of_hello_rate.least, row.of_hello_rate.median, row.of_hello_rate.greatest) == (0.1, 0.125, 0.2)
    # Each hello took 0.5 s / rate, each exchange 5 ms
    assert (row.of_hello_cpu.least, row.of_hello_cpu.greatest) == (0.1, 0.2)


def test_a_repeat_whose_hello_was_slow_is_dropped_and_said() -> None:
    every = [one for case in CASES for one in repeats(case, 1000, 1000)] + repeats(CASES[0], 499)
    summary = summarise(every)
    assert summary.dropped == 1
    assert summary.rows[0].of_hello_rate.greatest == 0.1
    assert len(summary.rows) == len(CASES)


def test_a_case_that_keeps_nothing_has_no_row() -> None:
    every = [one for case in CASES[1:] for one in repeats(case, 1000)] + repeats(CASES[0], 100)
    summary = summarise(every)
    assert [row.case for row in summary.rows] == list(CASES[1:])
    assert summary.dropped == 1
    assert summary.members()["dropped"] == 1


def test_the_mix_is_compared_with_plain_json_within_each_repeat() -> None:
    plain, mixed = (Case(name, broker, ("a", "b"), 1) for name, broker in (("2, all JSON", PLAIN), ("2 kinds", MIXED)))
    rates = ((plain, 100), (mixed, 80)), ((plain, 50), (mixed, 45)), ((plain, 100),)
    every = [Repeat(number, case, window(1000), window(rate)) for number, one in enumerate(rates) for case, rate in one]
    (mix,) = summarise(every).mixes
    assert (mix.callers, mix.rate.least, mix.rate.greatest) == (1, 0.8, 0.9)
    assert mix.cpu.least == pytest.approx(0.8)
    assert mix.cpu.greatest == pytest.approx(0.9)
    assert summarise(every[:1]).mixes == ()
