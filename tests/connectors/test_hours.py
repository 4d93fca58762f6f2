"""Service hours, holidays and planned outages: when an answer will come."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.hours import Hours, Outage, next_answer
from connectors.patience import Patience, Promised
from policies.workdays import SHIPPED_WORKDAYS, read_workdays

CHINA = timezone(timedelta(hours=8))
OFFICE = Hours(("08:30-12:00", "14:00-17:30"), holidays=(date(2026, 10, 1),), workdays=(date(2026, 10, 10),))

CALENDAR = read_workdays(SHIPPED_WORKDAYS)
NINE = ("09:00-17:00",)


def china(day: str, time: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}:00").replace(tzinfo=CHINA)


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        (("2026-11-25", "09:00"), ("2026-11-25", "09:00")),
        (("2026-11-25", "08:30"), ("2026-11-25", "08:30")),
        (("2026-11-25", "03:00"), ("2026-11-25", "08:30")),
        (("2026-11-25", "12:00"), ("2026-11-25", "14:00")),
        (("2026-11-25", "17:30"), ("2026-11-26", "08:30")),
        (("2026-11-27", "18:00"), ("2026-11-30", "08:30")),  # a Friday
        (("2026-10-01", "09:00"), ("2026-10-02", "08:30")),  # a holiday
        (("2026-10-10", "09:00"), ("2026-10-10", "09:00")),  # a Saturday worked for it
    ],
)
def test_it_says_when_an_answer_will_come(asked: tuple[str, str], answers: tuple[str, str]) -> None:
    assert next_answer(OFFICE, (), china(*asked)) == china(*answers)


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ("2026-09-24", "2026-09-24"),
        ("2026-09-25", "2026-09-28"),  # the Mid-Autumn holiday, a Friday
        ("2026-09-20", "2026-09-20"),  # a Sunday worked for the National Day
        ("2026-09-19", "2026-09-20"),
        ("2026-10-01", "2026-10-08"),
        ("2026-10-10", "2026-10-10"),
        ("2027-01-01", "2027-01-01"),  # of a year that nobody has told us: a Friday
    ],
)
def test_public_holidays_are_kept_and_the_weekend_days_for_them_are_worked(asked: str, answers: str) -> None:
    office = Hours(NINE)
    assert next_answer(office, (), china(asked, "09:00"), CALENDAR) == china(answers, "09:00")


@pytest.mark.parametrize(
    ("hours", "opens"),
    [
        (Hours(NINE, public_holidays="open"), "2026-10-02"),
        (Hours(NINE, public_holidays="open", holidays=(date(2026, 10, 2),)), "2026-10-05"),
        (Hours(NINE, workdays=(date(2026, 10, 3),)), "2026-10-03"),
        (Hours(NINE, days=("sat", "sun")), "2026-10-10"),
        (Hours(NINE, holidays=(date(2026, 10, 8),)), "2026-10-09"),
        (Hours(NINE, days=("sun", "thu")), "2026-10-08"),  # it never works the weekend days that others work
    ],
)
def test_a_department_s_own_days_come_first(hours: Hours, opens: str) -> None:
    assert next_answer(hours, (), china("2026-10-02", "08:00"), CALENDAR) == china(opens, "09:00")


def test_who_works_on_mondays_only_works_no_sunday_for_it() -> None:
    monday = Hours(NINE, days=("mon",))
    assert next_answer(monday, (), china("2026-09-20", "09:00"), CALENDAR) == china("2026-09-21", "09:00")


def test_a_day_ends_at_midnight_in_china_whatever_the_caller_s_zone() -> None:
    night = Hours(("00:00-06:00", "22:00-24:00"), days=("mon",))
    assert next_answer(night, (), datetime(2026, 11, 23, 15, 59, tzinfo=UTC)) == datetime(
        2026, 11, 23, 15, 59, tzinfo=UTC
    )
    assert next_answer(night, (), datetime(2026, 11, 23, 16, 0, tzinfo=UTC)) == china("2026-11-30", "00:00")


def test_an_outage_ends_into_the_next_service_hours() -> None:
    outage = (Outage("2026-11-25 10:00", "2026-11-25 20:00", "系统升级"),)
    assert next_answer(OFFICE, outage, china("2026-11-25", "09:59")) == china("2026-11-25", "09:59")
    assert next_answer(OFFICE, outage, china("2026-11-25", "10:00")) == china("2026-11-26", "08:30")
    assert next_answer(None, outage, china("2026-11-25", "10:00")) == china("2026-11-25", "20:00")


def test_outages_in_a_row_and_a_department_that_never_opens() -> None:
    row = (Outage("2026-11-25 10:00", "2026-11-25 11:00", "一"), Outage("2026-11-25 11:00", "2026-11-25 12:00", "二"))
    assert next_answer(None, row, china("2026-11-25", "10:30")) == china("2026-11-25", "12:00")
    closed = Hours(
        ("08:00-09:00",), days=("mon",), holidays=tuple(date(2026, 1, 5) + timedelta(7 * n) for n in range(120))
    )
    assert next_answer(closed, (), china("2026-11-25", "10:30")) is None


@given(st.integers(0, 2 * 365 * 86400).map(lambda passed: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=passed)))
def test_it_is_open_when_it_says_it_will_be_and_never_earlier(asked: datetime) -> None:
    opens = next_answer(OFFICE, (), asked)
    assert opens is not None
    assert opens >= asked
    assert next_answer(OFFICE, (), opens) == opens
    if opens > asked:
        assert next_answer(OFFICE, (), opens - timedelta(seconds=1)) == opens


@pytest.mark.parametrize(
    ("asked", "workdays", "answers"),
    [
        (("2026-11-25", "09:00"), 0, "2026-11-25"),
        (("2026-11-25", "17:30"), 0, "2026-11-26"),  # too late for today
        (("2026-11-28", "09:00"), 0, "2026-11-30"),  # a Saturday
        (("2026-11-25", "23:59"), 1, "2026-11-26"),
        (("2026-09-24", "09:00"), 1, "2026-09-28"),  # before the Mid-Autumn holiday
        (("2026-09-30", "09:00"), 3, "2026-10-10"),  # a Saturday that is worked
    ],
)
def test_a_promise_is_counted_in_workdays(asked: tuple[str, str], workdays: int, answers: str) -> None:
    patience = Patience(give_up_seconds=11 * 86400, promised=Promised(workdays, "17:30"))
    assert patience.answers_at(china(*asked), CALENDAR) == china(answers, "17:30")


def test_what_nobody_promised_or_nobody_waits_for_is_not_said() -> None:
    asked = china("2026-09-30", "09:00")
    assert Patience().answers_at(asked, CALENDAR) is None
    assert Patience(give_up_seconds=10 * 86400, promised=Promised(3, "17:30")).answers_at(asked, CALENDAR) is None
