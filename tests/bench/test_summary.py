"""Which repeats count, and that ratios are taken within a repeat; all figures here are made up."""

from bench.load import Window
from bench.measure import CASES, Case, Repeat
from bench.processes import CpuTimes
from bench.summary import summarise


def window(requests: int, seconds: float = 1.0, cpu: float = 0.5) -> Window:
    return Window(seconds, [seconds / requests] * requests, CpuTimes(cpu, 0.1, 0.1), [])


def repeats(case: Case, *hello_rates: int) -> list[Repeat]:
    return [Repeat(case, window(rate), window(100)) for rate in hello_rates]


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
