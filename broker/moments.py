"""A moment as the wire has it, and as the reader's clock on the wall says it, which for all of China is Beijing's."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

BEIJING: Final = timezone(timedelta(hours=8))

_PARTS: Final = (
    (86400, 1_000_000, ("天", "d")),
    (3600, 24, ("小时", "h")),
    (60, 60, ("分", "min")),
    (1, 60, ("秒", "s")),
)


def day_of(seconds: float) -> date:
    """The day that it is in Beijing."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING).date()


def rfc3339(seconds: int) -> str:
    """Seconds since 1970 as on the wire, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(rfc3339: str, *, english: bool) -> str:
    """Such as 2026年11月26日 17:20."""
    time = datetime.fromisoformat(rfc3339).astimezone(BEIJING)
    return f"{time.day} {time:%B %Y, %H:%M}" if english else f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}"


def second(rfc3339: str, now: str, *, english: bool) -> str:
    """Such as 17:20:05, where it is of the same day as `now`; else with its day."""
    time, today = (datetime.fromisoformat(one).astimezone(BEIJING) for one in (rfc3339, now))
    return f"{time:%H:%M:%S}" if time.date() == today.date() else moment(rfc3339, english=english)


def age(rfc3339: str, now: str, *, english: bool) -> str:
    """Such as 2 小时 5 分: the two largest parts, from then until `now`."""
    seconds = max(0, int((datetime.fromisoformat(now) - datetime.fromisoformat(rfc3339)).total_seconds()))
    parts = [(seconds // each % most, words[english]) for each, most, words in _PARTS]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {word}" for count, word in parts[first : first + 2])


def day(iso: str, *, english: bool) -> str:
    """A day written as 2026-12-11, such as 2026年12月11日."""
    found = date.fromisoformat(iso)
    return f"{found.day} {found:%B %Y}" if english else f"{found.year}年{found.month}月{found.day}日"
