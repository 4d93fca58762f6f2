"""Every limit of a route, as the directory holds it: hours, quotas, retries, breaker, fall-back, age."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.breaker import BreakerLimits
from connectors.contract import Answer, Question, Ticket
from connectors.directory import Directory
from connectors.health import Observed
from connectors.hours import Hours, Outage
from connectors.limits import Limits, Retries
from connectors.memory import OwnMemory
from connectors.patience import Patience, Promised
from connectors.trouble import DepartmentError
from connectors.way import Way
from policies.vocabulary import Outcome
from tests.connectors.asking import question

NOON = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
"""A Wednesday, noon in China."""
ASKED = question("deed_tax", ("paid_amount",))
FOUND = Answer(Outcome.FOUND, "r", NOON, records=({"paid_amount": 1},))
DOWN = DepartmentError(Outcome.DEPARTMENT_DOWN, "connection")
Says = Callable[[], Awaitable[Any]]


class Scripted:
    """A connector that answers by a list, the last of it for ever; an error is raised."""

    def __init__(self, route: str, *script: Answer | Exception) -> None:
        self.route = route
        self.calls: list[str] = []
        self._script = list(script)

    async def fetch(self, question: Question) -> Answer:
        self.calls.append(question.call)
        said = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(said, Exception):
            raise said
        return said

    async def aclose(self) -> None:
        pass


class Bench:
    """Ways with a clock that only moves when told."""

    def __init__(self) -> None:
        self.now = NOON
        self.seen: list[Observed] = []
        self.memory = OwnMemory(self.seconds)

    def seconds(self) -> float:
        return self.now.timestamp()

    def way(self, connector: Scripted, limits: Limits) -> Way:
        places = asyncio.Semaphore(9)
        return Way(connector, 0.5, places, limits, self.memory, "taxation", clock=self.seconds)

    def directory(self, *ways: Way) -> Directory:
        return Directory({"deed_tax": ways}, now=lambda: self.now, watch=self.seen.append)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_outside_its_hours_nobody_is_asked_and_it_says_when_an_answer_will_come(bench: Bench) -> None:
    tax = Scripted("tax", FOUND)
    asked = bench.directory(bench.way(tax, Limits(hours=Hours(("14:00-17:30",)))))
    answer = await asked.ask(ASKED)
    assert (answer.outcome, answer.raw_code, tax.calls) == (Outcome.CLOSED_HOURS, "closed", [])
    assert answer.retry_at == NOON + timedelta(hours=2)
    (health,) = asked.health()
    assert (health.state, health.answers_at) == ("closed", NOON + timedelta(hours=2))
    bench.now += timedelta(hours=2)
    assert (await asked.ask(ASKED)).outcome is Outcome.FOUND


async def test_a_planned_outage_is_closed_hours(bench: Bench) -> None:
    outage = Outage("2026-11-25 11:00", "2026-11-25 13:00", "系统升级")
    answer = await bench.directory(bench.way(Scripted("tax", FOUND), Limits(outages=(outage,)))).ask(ASKED)
    assert (answer.outcome, answer.retry_at) == (Outcome.CLOSED_HOURS, NOON + timedelta(hours=1))


async def test_beyond_a_quota_nobody_is_asked_until_its_window_has_passed(bench: Bench) -> None:
    tax = Scripted("tax", FOUND)
    asked = bench.directory(bench.way(tax, Limits(per_minute=2, per_day=3)))
    outcomes = [(await asked.ask(ASKED)).outcome for _ in range(3)]
    assert outcomes == [Outcome.FOUND, Outcome.FOUND, Outcome.QUOTA]
    bench.now += timedelta(seconds=60)
    assert (await asked.ask(ASKED)).outcome is Outcome.FOUND
    refused = await asked.ask(ASKED)
    assert (refused.outcome, refused.raw_code, len(tax.calls)) == (Outcome.QUOTA, "own_quota", 3)
    assert refused.retry_at == datetime(2026, 11, 25, 16, 0, tzinfo=UTC), "midnight in China"


async def test_our_own_quota_does_not_open_the_breaker(bench: Bench) -> None:
    limits = Limits(per_minute=1, breaker=BreakerLimits(failures=1, of=1))
    asked = bench.directory(bench.way(Scripted("tax", FOUND), limits))
    for _ in range(5):
        last = await asked.ask(ASKED)
    assert last.raw_code == "own_quota"


async def test_a_read_that_could_not_be_delivered_is_sent_once_more_under_its_own_number(bench: Bench) -> None:
    tax = Scripted("tax", DOWN, FOUND)
    answer = await bench.directory(bench.way(tax, Limits(retries=Retries(most=2)))).ask(ASKED)
    assert (answer.outcome, tax.calls) == (Outcome.FOUND, ["call-0001", "call-0001-2"])


@pytest.mark.parametrize(
    "said",
    [
        Answer(Outcome.NO_RECORD, "r", NOON),
        DepartmentError(Outcome.TIMEOUT, "silence"),
        DepartmentError(Outcome.AUTH_FAILED, "-5"),
        DepartmentError(Outcome.GARBLED, "not_json"),
        DepartmentError(Outcome.DEPARTMENT_DOWN, "-50", wait=20),
        TimeoutError(),
    ],
)
async def test_nothing_else_is_sent_once_more(bench: Bench, said: Answer | Exception) -> None:
    tax = Scripted("tax", said)
    await bench.directory(bench.way(tax, Limits(retries=Retries(most=3)))).ask(ASKED)
    assert len(tax.calls) == 1


async def test_retries_are_a_part_of_all_questions_and_each_counts_as_a_call(bench: Bench) -> None:
    tax = Scripted("tax", DOWN)
    limits = Limits(retries=Retries(most=3, budget=0.1), per_hour=60, breaker=BreakerLimits(failures=999, of=999))
    asked = bench.directory(bench.way(tax, limits))
    for _ in range(50):
        assert (await asked.ask(ASKED)).outcome is Outcome.DEPARTMENT_DOWN
    assert 50 <= len(tax.calls) <= 50 + 1 + 5
    for _ in range(15):
        last = await asked.ask(ASKED)
    assert (last.raw_code, len(tax.calls)) == ("own_quota", 60)


async def test_the_breaker_leaves_a_department_alone_and_tries_it_by_one(bench: Bench) -> None:
    tax = Scripted("tax", *[DOWN] * 3, FOUND)
    asked = bench.directory(bench.way(tax, Limits(breaker=BreakerLimits(3, 5, 10))))
    for _ in range(3):
        await asked.ask(ASKED)
    left_alone = await asked.ask(ASKED)
    assert (left_alone.outcome, left_alone.raw_code, len(tax.calls)) == (Outcome.DEPARTMENT_DOWN, "breaker_open", 3)
    assert left_alone.retry_at == NOON + timedelta(seconds=10)
    assert asked.health()[0].state == "left_alone"
    bench.now += timedelta(seconds=10)
    assert (await asked.ask(ASKED)).outcome is Outcome.FOUND
    assert asked.health()[0].state == "well"


@pytest.mark.parametrize(
    ("said", "opens"),
    [
        (DepartmentError(Outcome.TIMEOUT, "silence"), True),
        (DepartmentError(Outcome.AUTH_FAILED, "-5"), True),
        (DepartmentError(Outcome.QUOTA, "http_429"), True),
        (DepartmentError(Outcome.GARBLED, "html_page"), True),
        (DepartmentError(Outcome.GARBLED, "wrong_person"), False),
        (DepartmentError(Outcome.GARBLED, "date"), False),
        (DepartmentError(Outcome.BAD_REQUEST, "-902"), False),
        (DepartmentError(Outcome.DENIED_BY_DEPARTMENT, "-20"), False),
        (Answer(Outcome.NO_RECORD, "r", NOON), False),
    ],
)
async def test_one_person_s_odd_record_does_not_close_a_department_for_all(
    bench: Bench, said: Answer | Exception, opens: bool
) -> None:
    asked = bench.directory(bench.way(Scripted("tax", said), Limits(breaker=BreakerLimits(3, 3, 10))))
    for _ in range(4):
        last = await asked.ask(ASKED)
    assert (last.raw_code == "breaker_open") is opens


async def test_city_then_province_then_the_nation_on_the_outcomes_that_are_named(bench: Bench) -> None:
    city = Scripted("city", DepartmentError(Outcome.QUOTA, "http_429"))
    province = Scripted("province", Answer(Outcome.NO_RECORD, "r", NOON))
    nation = Scripted("nation", FOUND)
    asked = bench.directory(
        bench.way(city, Limits(fall_back_on=(Outcome.QUOTA,))),
        bench.way(province, Limits(fall_back_on=(Outcome.NO_RECORD,))),
        bench.way(nation, Limits()),
    )
    answer = await asked.ask(ASKED)
    assert (answer.outcome, answer.route) == (Outcome.FOUND, "nation")
    assert [(seen.route, seen.outcome) for seen in bench.seen] == [
        ("city", Outcome.QUOTA),
        ("province", Outcome.NO_RECORD),
        ("nation", Outcome.FOUND),
    ]
    plain = bench.directory(bench.way(city, Limits()), bench.way(nation, Limits()))
    assert (await plain.ask(ASKED)).outcome is Outcome.QUOTA


async def test_the_next_route_is_tried_while_the_first_is_left_alone(bench: Bench) -> None:
    city, nation = Scripted("city", DOWN), Scripted("nation", FOUND)
    asked = bench.directory(bench.way(city, Limits(breaker=BreakerLimits(2, 2, 10))), bench.way(nation, Limits()))
    for _ in range(9):
        assert (await asked.ask(ASKED)).route == "nation"
    assert len(city.calls) == 2


async def test_what_is_left_pending_says_by_when_its_department_means_to_answer(bench: Bench) -> None:
    left = Answer(Outcome.PENDING, "tax", NOON, ticket=Ticket("CX0", None, 86400))
    way = bench.way(Scripted("tax", left, FOUND, DOWN), Limits())
    way.patience = Patience(promised=Promised(1, "12:00"))
    asked = bench.directory(way)
    assert (await asked.ask(ASKED)).retry_at == NOON + timedelta(days=1)
    assert asked.health()[0].answers_at is None, "one question's answer is not the department's health"
    assert [(await asked.ask(ASKED)).retry_at for _ in range(2)] == [None, None]


async def test_a_ticket_of_a_route_that_is_of_another_kind_by_now(bench: Bench) -> None:
    asked = bench.directory(bench.way(Scripted("tax", FOUND), Limits()))
    answer = await asked.carry_on(ASKED, "tax", Ticket("CX0", 1, 1))
    assert (answer.outcome, answer.raw_code) == (Outcome.GARBLED, "AttributeError")


@pytest.mark.parametrize(("age", "outcome"), [(3600, Outcome.FOUND), (3601, Outcome.GARBLED)])
async def test_a_stale_answer_is_not_released(bench: Bench, age: int, outcome: Outcome) -> None:
    old = replace(FOUND, as_of=NOON - timedelta(seconds=age))
    answer = await bench.directory(bench.way(Scripted("tax", old), Limits(oldest_seconds=3600))).ask(ASKED)
    assert answer.outcome is outcome
    assert (answer.raw_code, answer.records) == (("", FOUND.records) if outcome is Outcome.FOUND else ("stale", ()))


async def test_whoever_went_away_does_not_keep_the_probe_s_place(bench: Bench) -> None:
    tax = Scripted("tax", DOWN, DOWN, FOUND)
    way = bench.way(tax, Limits(breaker=BreakerLimits(2, 2, 10)))
    asked = bench.directory(way)
    await asked.ask(ASKED)
    await asked.ask(ASKED)
    bench.now += timedelta(seconds=10)
    async with way.places, way.places:
        way.places = asyncio.Semaphore(0)
        probing = asyncio.create_task(asked.ask(ASKED))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (await asked.ask(ASKED)).raw_code == "breaker_open"
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
    way.places = asyncio.Semaphore(1)
    assert (await asked.ask(ASKED)).outcome is Outcome.FOUND
