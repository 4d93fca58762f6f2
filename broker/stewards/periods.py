"""Days and months of Beijing, as the log's microseconds."""

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from broker.moments import BEIJING, day_of
from policies.refusals import Code, Refused

MONTHS_AT_ONCE: Final = 12
_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def month_of(now: float) -> str:
    """As 2026-11."""
    return day_of(now).isoformat()[:7]


def span_of_month(month: str) -> tuple[int, int]:
    """From when until before when it lasts. Raises Refused(invalid_request)."""
    first = _first_day(month, "month")
    return _midnight(first), _midnight(_next_month(first))


def months_between(first: str, last: str) -> list[str]:
    """Every month from the first to the last, the newest first. Raises Refused(invalid_request) beyond a year."""
    month, ends = _first_day(first, "from"), _first_day(last, "to")
    months = []
    while month <= ends:
        months.append(month.isoformat()[:7])
        month = _next_month(month)
        if len(months) > MONTHS_AT_ONCE:
            break
    if not 1 <= len(months) <= MONTHS_AT_ONCE:
        raise Refused(Code.INVALID_REQUEST, member="to")
    return months[::-1]


def read_day(text: str, member: str = "day") -> date:
    """As 2026-11-22. Raises Refused(invalid_request)."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=member) from error
    if not 2000 <= day.year < 2100:  # noqa: PLR2004 - centuries
        raise Refused(Code.INVALID_REQUEST, member=member)
    return day


def span_of_days(first: date, days: int = 1) -> tuple[int, int]:
    return _midnight(first), _midnight(first + timedelta(days=days))


def _first_day(month: str, member: str) -> date:
    found = _MONTH.fullmatch(month)
    if found is None:
        raise Refused(Code.INVALID_REQUEST, member=member)
    return date(int(found[1]), int(found[2]), 1)


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), BEIJING).timestamp()) * 1_000_000
