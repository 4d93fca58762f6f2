"""When a department answers: service hours, public and own holidays, planned outages, all in China standard time."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from policies.workdays import MONDAY_TO_FRIDAY, Workdays

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Window = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Moment = Annotated[str, msgspec.Meta(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]$")]

CHINA: Final = timezone(timedelta(hours=8))
_WEEK: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OFFICE: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri")
_FARTHEST_DAYS: Final = 400
_OUTAGES_IN_A_ROW: Final = 20


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On which days and between which times of day the department answers."""

    windows: Annotated[tuple[Window, ...], msgspec.Meta(min_length=1)]
    """`08:30-17:30`; what runs past midnight is two windows."""
    days: Annotated[tuple[Weekday, ...], msgspec.Meta(min_length=1)] = _OFFICE
    public_holidays: Literal["closed", "open"] | None = None
    """By default it keeps them, and works the weekend days that are worked for them if it works Monday to Friday;
    `open`: the public calendar means nothing to it."""
    holidays: tuple[date, ...] = ()
    """Its own, beside the public ones: closed whatever day it is."""
    workdays: tuple[date, ...] = ()
    """Its own: open whatever day it is."""

    @property
    def every_day(self) -> bool:
        return set(self.days) == set(_WEEK)

    def next_open(self, at: datetime, calendar: Workdays) -> datetime | None:
        """Return `at` itself while open, else when it opens next; None where that is more than a year away."""
        local = at.astimezone(CHINA)
        for ahead in range(_FARTHEST_DAYS):
            day = local.date() + timedelta(days=ahead)
            if not self._works(day, calendar):
                continue
            for begins, ends in sorted(span_of(day, window) for window in self.windows):
                if local < ends:
                    return max(begins, local).astimezone(UTC)
        return None

    def _works(self, day: date, calendar: Workdays) -> bool:
        if day in self.workdays or day in self.holidays:
            return day in self.workdays
        usual = _WEEK[day.weekday()] in self.days
        if self.public_holidays == "open":
            return usual
        made_up = day in calendar.made_up and set(_OFFICE) <= set(self.days)
        return made_up or (usual and day not in calendar.holidays)


class Outage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time in which the department said it would not answer."""

    begins: Moment = msgspec.field(name="from")
    ends: Moment = msgspec.field(name="to")
    reason: Annotated[str, msgspec.Meta(max_length=200)]

    def span(self) -> tuple[datetime, datetime]:
        return _local(self.begins), _local(self.ends)

    def check(self) -> None:
        """Raise ValueError where it is none."""
        try:
            begins, ends = self.span()
        except ValueError:
            raise ValueError("there is no such day or time of day") from None
        if ends <= begins:
            raise ValueError("this outage is empty: it ends before it begins")


def next_answer(
    hours: Hours | None, outages: tuple[Outage, ...], at: datetime, calendar: Workdays = MONDAY_TO_FRIDAY
) -> datetime | None:
    """Return `at` itself where the department answers then, else when it will; None where nobody can say."""
    if hours is None and not outages:
        return at
    for _ in range(_OUTAGES_IN_A_ROW):
        opens = at if hours is None else hours.next_open(at, calendar)
        if opens is None:
            return None
        ends = [end for begin, end in (outage.span() for outage in outages) if begin <= opens < end]
        if not ends:
            return opens
        at = max(ends).astimezone(UTC)
    return None


def span_of(day: date, window: str) -> tuple[datetime, datetime]:
    """Return when the window begins and ends on this day."""
    begins, _, ends = window.partition("-")
    return moment_of(day, begins), moment_of(day, ends)


def moment_of(day: date, time_of_day: str) -> datetime:
    """Return such a time of day, up to 24:00, on this day."""
    hour, _, minute = time_of_day.partition(":")
    passed = timedelta(hours=int(hour), minutes=int(minute))
    return (datetime.combine(day, time(), CHINA) + passed).astimezone(UTC)


def _local(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CHINA)
