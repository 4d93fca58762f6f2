"""What a process remembers of its routes for operators: one word, the last answers by code, counts and times."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.breaker import BreakerLimits, State
from connectors.contract import Answer
from connectors.course import Course, Told
from connectors.health import RouteState, state_of
from connectors.hours import Hours, Outage
from connectors.limits import Limits
from connectors.pace import CLASSES, SHORTEST, STEP, Lately, Pace
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome
from tests.connectors.test_limits import ASKED, DOWN, FOUND, NOON, Bench, Scripted

DEADLINE = 3.0


class Monotonic:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def told(outcome: Outcome, seconds: float = 0.1) -> Told:
    return Told(outcome, "x", NOON, seconds, None)


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (None, "unasked"),
        (told(Outcome.FOUND), "well"),
        (told(Outcome.NO_RECORD), "well"),
        (told(Outcome.PENDING), "well"),
        (told(Outcome.MATCH, DEADLINE / 2), "well"),
        (told(Outcome.MATCH, DEADLINE * 0.51), "slow"),
        (told(Outcome.QUOTA), "refusing"),
        (told(Outcome.AUTH_FAILED), "refusing"),
        (told(Outcome.DENIED_BY_DEPARTMENT), "refusing"),
        (told(Outcome.BAD_REQUEST), "refusing"),
        (told(Outcome.CLOSED_HOURS), "closed"),
        (told(Outcome.DEPARTMENT_DOWN), "failing"),
        (told(Outcome.TIMEOUT), "failing"),
        (told(Outcome.GARBLED), "failing"),
    ],
)
def test_one_word_for_the_last_answer(asked: Told | None, state: str) -> None:
    assert state_of(State.CLOSED, asked, DEADLINE, closed=False) == state
    assert state_of(State.OPEN, asked, DEADLINE, closed=False) is RouteState.LEFT_ALONE
    assert state_of(State.HALF_OPEN, asked, DEADLINE, closed=True) is RouteState.CLOSED


async def test_the_last_success_and_the_last_failure_are_both_known() -> None:
    bench = Bench()
    asked = bench.directory(bench.way(Scripted("tax", FOUND, DepartmentError(Outcome.QUOTA, "12101"), FOUND), Limits()))
    for _ in range(3):
        await asked.ask(ASKED)
        bench.now += timedelta(seconds=1)
    (health,) = asked.health()
    assert health.state == "well"
    assert health.well is not None
    assert health.failure is not None
    assert health.well.at == NOON + timedelta(seconds=2)
    assert (health.failure.outcome, health.failure.code) == (Outcome.QUOTA, "12101")
    assert health.failure.at == NOON + timedelta(seconds=1)
    assert (health.minute.asked, health.minute.failed, health.hour.asked) == (3, 1, 3)


async def test_an_open_breaker_says_until_when_though_nobody_asks() -> None:
    bench = Bench()
    asked = bench.directory(bench.way(Scripted("tax", DOWN), Limits(breaker=BreakerLimits(1, 1, 10))))
    await asked.ask(ASKED)
    (health,) = asked.health()
    assert (health.state, health.breaker, health.answers_at) == ("left_alone", "open", NOON + timedelta(seconds=10))
    await asked.ask(ASKED)
    assert asked.health()[0].hour.asked == 1, "nobody was asked"
    bench.now += timedelta(seconds=10)
    (health,) = asked.health()
    assert (health.state, health.breaker, health.answers_at) == ("left_alone", "half_open", None)


async def test_outages_are_told_until_they_are_over_and_say_why_it_is_closed() -> None:
    bench = Bench()
    past = Outage("2026-11-25 09:00", "2026-11-25 12:00", "过去")
    now = Outage("2026-11-25 11:00", "2026-11-25 13:00", "系统升级")
    later = Outage("2026-12-01 00:00", "2026-12-02 00:00", "月初结账")
    limits = Limits(outages=(past, now, later), hours=Hours(("08:30-17:30",)), per_hour=9)
    (health,) = bench.directory(bench.way(Scripted("tax", FOUND), limits)).health()
    assert (health.state, health.answers_at) == ("closed", NOON + timedelta(hours=1))
    assert health.outages == (now, later)
    assert [(quota.seconds, quota.most) for quota in health.quotas] == [(3600, 9)]


async def test_nothing_of_an_answer_is_kept() -> None:
    bench = Bench()
    way = bench.way(Scripted("tax", replace(FOUND, records=({"paid_amount": 4711},))), Limits())
    await bench.directory(way).ask(ASKED)
    course = way.course
    assert "4711" not in repr((course.last, course.asked, course.well, course.failure))


def test_percentiles_are_true_to_within_a_tenth() -> None:
    clock, chance = Monotonic(), random.Random(7)
    lately = Lately(60, 12, clock)
    times = sorted(chance.lognormvariate(-2, 1) for _ in range(1000))
    for seconds in times:
        lately.note(seconds)
    pace = lately.pace()
    assert pace.asked == 1000
    assert pace.failed == 0
    assert pace.p50 == pytest.approx(times[499], rel=0.11)
    assert pace.p95 == pytest.approx(times[949], rel=0.11)


def test_what_took_no_time_or_for_ever_has_its_class_too() -> None:
    lately = Lately(60, 12, Monotonic())
    lately.note(0.0)
    assert lately.pace().p50 == pytest.approx(SHORTEST, rel=0.1)
    for _ in range(9):
        lately.note(10_000.0)
    assert lately.pace().p50 == pytest.approx(SHORTEST * STEP**CLASSES, rel=0.1)


def test_what_is_older_is_forgotten() -> None:
    clock = Monotonic()
    course = Course(clock)
    for answer in (FOUND, Answer(Outcome.TIMEOUT, "r", NOON, raw_code="deadline")):
        course.note(answer, NOON, 0.2)
    pace = course.minute.pace()
    assert (pace.asked, pace.failed) == (2, 1)
    assert pace.p50 == pace.p95 == pytest.approx(0.2, rel=0.1)
    clock.now += 61
    assert course.minute.pace() == Pace(0, 0, None, None)
    assert course.hour.pace().asked == 2
    course.note(FOUND, NOON, 0.2)
    clock.now += 3540
    assert course.hour.pace().asked == 1
    clock.now += 120
    assert course.hour.pace().asked == 0


def test_memory_is_bounded_however_much_is_asked() -> None:
    clock = Monotonic()
    lately = Lately(60, 12, clock)
    for _ in range(10_000):
        lately.note(0.01)
        clock.now += 1
    assert len(lately._slots) == 12
    assert 55 <= lately.pace().asked <= 60
