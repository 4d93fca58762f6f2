"""Which days are worked: the one calendar, for departments' service hours and for clocks that count workdays.

The State Council says each year, by a notice, which days are holidays and which weekend days are worked for them. A
day of a year that the calendar does not hold is a workday from Monday to Friday: `first_unknown` says where it ends.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec

from policies.strict_yaml import Located, read_yaml

SHIPPED_WORKDAYS: Final = Path(__file__).with_name("workdays.yaml")
"""The calendar that comes with the program."""
LONGEST_HOLIDAY: Final = 15
"""Days: a longer one is a mistake in a date."""
_FRIDAY: Final = 4
_DECEMBER: Final = 12


class HolidayRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days in a row, both ends included."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")

    def days(self) -> list[date]:
        return [self.first + timedelta(days=passed) for passed in range((self.last - self.first).days + 1)]


class YearRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the notice of one year says; it may reach back into the December before."""

    year: Annotated[int, msgspec.Meta(ge=2000, le=2100)]
    source: Annotated[str, msgspec.Meta(min_length=1)]
    holidays: Annotated[tuple[HolidayRow, ...], msgspec.Meta(min_length=1)]
    workdays: tuple[date, ...] = ()
    """Saturdays and Sundays that are worked for a holiday."""


class WorkdaysFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's own shape."""

    years: Annotated[tuple[YearRow, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class Workdays:
    """A calendar that adds up. Days are Beijing's."""

    holidays: frozenset[date] = frozenset()
    made_up: frozenset[date] = frozenset()
    """Weekend days that are worked for a holiday."""
    years: frozenset[int] = frozenset()
    """The years whose notice it holds."""
    digest: str = ""
    """SHA-256 hex of the file's bytes."""

    def is_worked(self, day: date) -> bool:
        return day in self.made_up or (day.weekday() <= _FRIDAY and day not in self.holidays)

    def after(self, day: date, number: int) -> date:
        """The `number`th workday after a day."""
        while number:
            day += timedelta(days=1)
            number -= self.is_worked(day)
        return day

    def first_unknown(self, day: date, days: int) -> date | None:
        """The first of so many days from this one on of whose year nothing is known; None where all are."""
        coming = (day + timedelta(days=passed) for passed in range(days))
        return next((one for one in coming if one.year not in self.years), None)


MONDAY_TO_FRIDAY: Final = Workdays()
"""Where no calendar is known."""


def read_workdays(path: Path) -> Workdays:
    """Read the calendar. Raises ConfigurationError, `file:line:` first, for anything that is off."""
    file, located = read_yaml(path, WorkdaysFile)
    holidays: dict[date, str] = {}
    made_up: set[date] = set()
    for number, row in enumerate(file.years):
        if row.year in {other.year for other in file.years[:number]}:
            raise located.error(f"year {row.year} stands twice", "years", number, "year")
        _add_holidays(holidays, row, located, number)
    for number, row in enumerate(file.years):
        _add_workdays(made_up, holidays, row, located, number)
    years = frozenset(row.year for row in file.years)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Workdays(frozenset(holidays), frozenset(made_up), years, digest)


def _add_holidays(known: dict[date, str], row: YearRow, located: Located, number: int) -> None:
    for index, holiday in enumerate(row.holidays):
        at = ("years", number, "holidays", index)
        if holiday.last < holiday.first:
            raise located.error("this holiday ends before it begins", *at, "to")
        if (holiday.last - holiday.first).days >= LONGEST_HOLIDAY:
            raise located.error(f"no holiday is longer than {LONGEST_HOLIDAY} days", *at, "to")
        for day in holiday.days():
            _check_year(day, row.year, located, at)
            if day in known:
                raise located.error(f"{day} is a holiday already: {known[day]}", *at)
            known[day] = holiday.name


def _add_workdays(
    made_up: set[date], holidays: Mapping[date, str], row: YearRow, located: Located, number: int
) -> None:
    for index, day in enumerate(row.workdays):
        at = ("years", number, "workdays", index)
        _check_year(day, row.year, located, at)
        if day.weekday() <= _FRIDAY:
            raise located.error(f"{day} is from Monday to Friday: only a weekend day is worked for a holiday", *at)
        if day in holidays:
            raise located.error(f"{day} cannot be both a holiday and a workday", *at)
        if day in made_up:
            raise located.error(f"{day} stands twice", *at)
        made_up.add(day)


def _check_year(day: date, year: int, located: Located, at: tuple[str | int, ...]) -> None:
    before = day.year == year - 1 and day.month == _DECEMBER
    if day.year != year and not before:
        raise located.error(f"{day} is neither in {year} nor in the December before", *at)
