"""The calendar of workdays: what the shipped one says of 2026, and every mistake in one refused with its line."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from policies.strict_yaml import ConfigurationError
from policies.workdays import MONDAY_TO_FRIDAY, SHIPPED_WORKDAYS, read_workdays

SHIPPED = read_workdays(SHIPPED_WORKDAYS)
NEW_YEAR = "{name: 元旦, from: 2026-01-01, to: 2026-01-03}"
DAYS = "[2026-01-04, 2026-02-14, 2026-02-28, 2026-05-09, 2026-09-20, 2026-10-10]"
YEAR = "year: {0}\n    source: x\n    holidays: [{{name: a, from: {0}-05-01, to: {0}-05-01}}]\n  - "
MISTAKES = {
    "no such day": (NEW_YEAR, "{name: 元旦, from: 2026-01-01, to: 2026-01-32}", "date"),
    "ends before it begins": (NEW_YEAR, "{name: 元旦, from: 2026-01-03, to: 2026-01-01}", "ends before it begins"),
    "too long": (NEW_YEAR, "{name: 元旦, from: 2026-01-01, to: 2026-01-16}", "longer than 15 days"),
    "of another year": (NEW_YEAR, "{name: 元旦, from: 2027-01-01, to: 2027-01-03}", "neither in 2026"),
    "of an earlier month": (NEW_YEAR, "{name: 元旦, from: 2025-11-30, to: 2025-12-01}", "neither in 2026"),
    "a holiday twice": (NEW_YEAR, NEW_YEAR + "\n      - " + NEW_YEAR, "a holiday already: 元旦"),
    "a holiday without a name": (NEW_YEAR, "{from: 2026-01-01, to: 2026-01-03}", "name"),
    "an unknown member": ("    workdays:", "    free: x\n    workdays:", "free"),
    "a weekday that is made up": (DAYS, "[2026-01-05]", "from Monday to Friday"),
    "a workday in a holiday": (DAYS, "[2026-02-15]", "both a holiday and a workday"),
    "a workday twice": (DAYS, "[2026-01-04, 2026-01-04]", "stands twice"),
    "a workday of another year": (DAYS, "[2027-01-09]", "neither in 2026"),
    "a year twice": ("year: 2026", 2 * YEAR.format(2027) + "year: 2026", "stands twice"),
    "no holidays": ("year: 2026", "year: 2027\n    source: x\n    holidays: []\n  - year: 2026", "length >= 1"),
    "no year": ("year: 2026", "year: 26", ">= 2000"),
    "no source": ("source: 国务院办公厅关于2026年部分节假日安排的通知，2025年11月4日", 'source: ""', "length >= 1"),
}


def test_the_shipped_year_is_a_year_of_the_statutory_holidays() -> None:
    """Thirteen days by law (since 2025), the rest are weekends and days that are worked for elsewhere."""
    whole = [date(2026, 1, 1) + timedelta(days=passed) for passed in range(365)]
    office = sum(day.weekday() <= 4 for day in whole)
    assert sum(map(SHIPPED.is_worked, whole)) == office - 13
    assert len(SHIPPED.holidays) == 33
    assert SHIPPED.years == {2026}
    assert all(day.weekday() > 4 for day in SHIPPED.made_up)


def test_workdays_are_counted_over_holidays_and_worked_weekends() -> None:
    assert SHIPPED.after(date(2026, 2, 13), 1) == date(2026, 2, 14)
    assert SHIPPED.after(date(2026, 2, 14), 1) == date(2026, 2, 24)
    assert SHIPPED.after(date(2026, 9, 30), 3) == date(2026, 10, 10)
    assert SHIPPED.after(date(2026, 11, 27), 1) == date(2026, 11, 30)
    assert SHIPPED.after(date(2026, 11, 29), 5) == date(2026, 12, 4)
    assert SHIPPED.after(date(2026, 11, 29), 0) == date(2026, 11, 29)


def test_of_a_year_that_it_does_not_hold_it_knows_monday_to_friday_and_says_so() -> None:
    assert SHIPPED.is_worked(date(2027, 1, 1))
    assert not SHIPPED.is_worked(date(2027, 1, 2))
    assert MONDAY_TO_FRIDAY.is_worked(date(2026, 10, 1))
    assert SHIPPED.first_unknown(date(2026, 11, 1), 61) is None
    assert SHIPPED.first_unknown(date(2026, 11, 1), 62) == date(2027, 1, 1)
    assert SHIPPED.first_unknown(date(2025, 12, 31), 1) == date(2025, 12, 31)


def test_a_notice_may_reach_back_into_december(tmp_path: Path) -> None:
    text = SHIPPED_WORKDAYS.read_text(encoding="utf-8").replace("from: 2026-01-01", "from: 2025-12-31")
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    assert not read_workdays(file).is_worked(date(2025, 12, 31))
    assert read_workdays(file).digest != SHIPPED.digest


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    right, wrong, told = MISTAKES[name]
    text = SHIPPED_WORKDAYS.read_text(encoding="utf-8")
    assert text.count(right) == 1
    file = tmp_path / "own.yaml"
    file.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(told)) as raised:
        read_workdays(file)
    line = str(raised.value).removeprefix(f"{file}:").partition(":")[0]
    first = text.split(right)[0].count("\n") + 1
    assert first <= int(line) <= first + wrong.count("\n")
