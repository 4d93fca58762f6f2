"""What the directory holds to whatever a connector does."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import structlog

from connectors.contract import Answer, Question
from connectors.departments.people import XU
from connectors.directory import Directory
from connectors.trouble import DepartmentError
from connectors.way import Way
from policies.vocabulary import Outcome, Scalar
from tests.connectors.asking import question

NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
FOUND: Final = Answer(Outcome.FOUND, "r", NOW, records=({"paid_amount": 1},))
EMPTY: Final = Answer(Outcome.NO_RECORD, "r", NOW)


class Behaving:
    """A connector that does what it is told, and counts how often it was asked and closed."""

    def __init__(self, behave: Callable[[], Awaitable[Any]], route: str = "r") -> None:
        self.route = route
        self.asked = 0
        self.closed = 0
        self._behave = behave

    async def fetch(self, question: Question) -> Answer:
        assert question.subject == XU
        self.asked += 1
        answer: Answer = await self._behave()
        return answer

    async def aclose(self) -> None:
        self.closed += 1


def answering(answer: Any) -> Behaving:
    async def behave() -> Any:
        return answer

    return Behaving(behave)


def raising(error: BaseException) -> Behaving:
    async def behave() -> Any:
        raise error

    return Behaving(behave)


def sleeping(seconds: float) -> Behaving:
    async def behave() -> Any:
        await asyncio.sleep(seconds)
        return EMPTY

    return Behaving(behave)


def directory(*connectors: Behaving, item: str = "deed_tax", deadline: float = 0.2, places: int = 9) -> Directory:
    return Directory({item: [Way(connector, deadline, asyncio.Semaphore(places)) for connector in connectors]})


ASKED: Final = question("deed_tax", ("paid_amount",))
CHECKED: Final = question("marriage_check_single", ("marital_status",), expect={"marital_status": "20"})


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (TimeoutError(), Outcome.TIMEOUT, "silence"),
        (ConnectionRefusedError(), Outcome.DEPARTMENT_DOWN, "connection"),
        (OSError("disk"), Outcome.DEPARTMENT_DOWN, "connection"),
        (asyncio.CancelledError(), Outcome.DEPARTMENT_DOWN, "cancelled"),
        (ValueError("徐建国"), Outcome.GARBLED, "ValueError"),
        (RecursionError(), Outcome.GARBLED, "RecursionError"),
        (MemoryError(), Outcome.GARBLED, "MemoryError"),
        (DepartmentError(Outcome.QUOTA, "12101"), Outcome.QUOTA, "12101"),
        (DepartmentError(Outcome.GARBLED, XU.id_number), Outcome.GARBLED, "personal"),
        (DepartmentError(Outcome.GARBLED, "查无 数据"), Outcome.GARBLED, "unprintable"),
        (DepartmentError(Outcome.FOUND, "0"), Outcome.GARBLED, "records_do_not_fit_outcome"),
    ],
)
async def test_whatever_is_raised_becomes_an_outcome(error: BaseException, outcome: Outcome, code: str) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await directory(raising(error)).ask(ASKED)
    assert (answer.outcome, answer.raw_code, answer.records) == (outcome, code, ())
    assert "徐" not in str(lines)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, "no_answer"),
        (replace(FOUND, records=()), "records_do_not_fit_outcome"),
        (replace(FOUND, outcome=Outcome.NO_RECORD), "records_do_not_fit_outcome"),
        (replace(FOUND, outcome=Outcome.GARBLED), "records_do_not_fit_outcome"),
        (replace(FOUND, records=({"paid_amount": 1}, {"location": "x"})), "field_not_asked"),
        (replace(FOUND, records=({"paid_amount": "1"},)), "value_does_not_fit"),
        (replace(FOUND, records=({"paid_amount": True},)), "value_does_not_fit"),
        (replace(FOUND, as_of=NOW.replace(tzinfo=None)), "as_of_without_zone"),
        (Answer(Outcome.MATCH, "r", NOW), "outcome_not_permitted"),
        (Answer(Outcome.WITHHELD, "r", NOW), "outcome_not_permitted"),
    ],
)
async def test_an_answer_beyond_the_contract_is_garbled(answer: Any, code: str) -> None:
    told = await directory(answering(answer)).ask(ASKED)
    assert (told.outcome, told.raw_code, told.records) == (Outcome.GARBLED, code, ())


RECORD: Final[Mapping[str, Scalar]] = {"marital_status": "20"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(Outcome.FOUND, "r", NOW, records=(RECORD,)),
        Answer(Outcome.MATCH, "r", NOW, records=(RECORD,)),
        Answer(Outcome.NO_RECORD, "r", NOW),
        Answer(Outcome.FOUND, "r", NOW),
    ],
)
async def test_a_check_never_leaves_a_record(answer: Answer) -> None:
    told = await directory(answering(answer), item="marriage_check_single").ask(CHECKED)
    assert (told.outcome, told.records) == (Outcome.GARBLED, ())


@pytest.mark.parametrize("outcome", [Outcome.MATCH, Outcome.MISMATCH, Outcome.NOT_DECIDABLE, Outcome.QUOTA])
async def test_a_check_leaves_its_word(outcome: Outcome) -> None:
    told = await directory(answering(Answer(outcome, "r", NOW)), item="marriage_check_single").ask(CHECKED)
    assert told.outcome is outcome


async def test_department_words_are_cut_and_impersonal() -> None:
    wordy = replace(FOUND, route="lie", raw_code="E" * 99, department_request=f"q-{XU.id_number.lower()}")
    told = await directory(answering(wordy)).ask(ASKED)
    assert (told.route, told.raw_code, told.department_request) == ("r", "E" * 40, "personal")


@pytest.mark.parametrize(
    "code", ["13912340000", f"E-{ASKED.case}", ASKED.call, f"{ASKED.consent}.", ASKED.operator, XU.id_number]
)
async def test_a_code_tells_neither_whom_nor_which_case(code: str) -> None:
    told = await directory(answering(replace(FOUND, raw_code=code))).ask(ASKED)
    assert told.raw_code == "personal"


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.DEPARTMENT_DOWN, Outcome.TIMEOUT}))
async def test_an_answer_of_any_other_kind_ends_the_search(outcome: Outcome) -> None:
    first, second = answering(Answer(outcome, "r", NOW)), answering(FOUND)
    await directory(first, second).ask(ASKED)
    assert (first.asked, second.asked) == (1, 0)


async def test_the_next_route_only_where_a_department_was_not_reached() -> None:
    routes = sleeping(9), raising(ConnectionResetError()), answering(FOUND), answering(EMPTY)
    told = await directory(*routes).ask(ASKED)
    assert told.outcome is Outcome.FOUND
    assert [route.asked for route in routes] == [1, 1, 1, 0]


async def test_the_last_word_counts_where_nobody_was_reached() -> None:
    told = await directory(raising(ConnectionResetError()), sleeping(9)).ask(ASKED)
    assert (told.outcome, told.raw_code) == (Outcome.TIMEOUT, "deadline")


async def test_an_item_without_a_route_needs_a_person() -> None:
    told = await directory().ask(ASKED)
    assert (told.outcome, told.raw_code) == (Outcome.NEED_MANUAL, "no_route")


async def test_a_connector_that_swallows_its_cancellation_holds_up_nobody() -> None:
    released = asyncio.Event()

    async def stubborn() -> Any:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return EMPTY

    asked = directory(Behaving(stubborn))
    start = time.monotonic()
    assert (await asked.ask(ASKED)).outcome is Outcome.TIMEOUT
    assert time.monotonic() - start < 5
    released.set()
    await asked.aclose()


async def test_waiting_for_a_place_counts_against_the_deadline() -> None:
    slow = sleeping(0.15)
    asked = directory(slow, deadline=0.2, places=1)
    start = time.monotonic()
    outcomes = [answer.outcome for answer in await asyncio.gather(*(asked.ask(ASKED) for _ in range(4)))]
    assert time.monotonic() - start < 0.55, "one after the other would take 0.6"
    assert outcomes == [Outcome.NO_RECORD, Outcome.TIMEOUT, Outcome.TIMEOUT, Outcome.TIMEOUT]
    assert slow.asked == 2
    assert (await asked.ask(ASKED)).outcome is Outcome.NO_RECORD


async def test_the_callers_cancellation_goes_through_and_reaches_the_connector() -> None:
    ended = asyncio.Event()

    async def behave() -> Any:
        try:
            await asyncio.sleep(9)
        finally:
            ended.set()

    asking = asyncio.create_task(directory(Behaving(behave), deadline=9).ask(ASKED))
    await asyncio.sleep(0.02)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(ended.wait(), 1)


async def test_closing_closes_every_connector() -> None:
    routes = answering(EMPTY), answering(EMPTY)
    asked = directory(*routes)
    assert asked.items() == {"deed_tax"}
    await asked.aclose()
    assert [route.closed for route in routes] == [1, 1]
