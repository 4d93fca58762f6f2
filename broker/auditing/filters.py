"""A search as an address says it: read strictly, and its pages' marks, which are good for this search alone.

Days and months are Beijing's. A person stands as `who`, the id of sought.py.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from audit.errors import SearchRefused
from audit.events import EVENTS
from audit.search import Cursor, Wanted, month
from broker.moments import BEIJING
from consent.subjects import SubjectKeys
from policies.identifiers import read_label
from policies.refusals import Code, Refused

LABELS: Final = ("requester", "operator", "desk", "matter", "case", "item")
TIMES: Final = ("month", "from", "until")
"""A month, or days, both inclusive."""
NAMES: Final = (*LABELS, "event", *TIMES, "who")
BESIDES: Final = frozenset({"cursor", "limit", "form", "lang"})
"""What else an address may say, which is nothing that is looked for."""
ON_A_PAGE: Final = 50
AT_MOST: Final = 200
_ANYTHING_WITH_AN_INDEX: Final = frozenset({"requester", "operator", "case", "item", "event", "who", *TIMES})
_EAST: Final = 8 * 3600 * 1_000_000
_DAY: Final = timedelta(days=1)
_YEARS: Final = range(2000, 3000)
_MARK: Final = 12
"""Bytes of a mark's check."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for, by name, as it was given and read; and from where on, at most how many."""

    given: Mapping[str, str]
    limit: int
    cursor: Cursor | None

    def wanted(self, subject_ref: str) -> Wanted:
        """As the log is searched, `who` having been found."""
        labels = {name: self.given[name] for name in LABELS if name in self.given}
        events = (self.given["event"],) if "event" in self.given else ()
        since, before = _span(self.given)
        return Wanted(**labels, subject_ref=subject_ref, events=events, since=since, before=before)

    def recorded(self) -> Mapping[str, str]:
        """For the log: the search's id is nobody else's business."""
        return {name: text for name, text in self.given.items() if name != "who"}


def read_filters(query: Mapping[str, str], keys: SubjectKeys) -> Filters:
    """Raises Refused(invalid_request) naming the member, never what was sent."""
    if not set(query) <= {*NAMES, *BESIDES}:
        raise Refused(Code.INVALID_REQUEST, member="query")
    given = {name: _checked(name, query[name]) for name in NAMES if query.get(name)}
    if "desk" in given and not _ANYTHING_WITH_AN_INDEX & given.keys():
        raise Refused(Code.INVALID_REQUEST, member="desk")
    _span(given)
    cursor = read_mark(keys, given, query["cursor"]) if query.get("cursor") else None
    return Filters(given, _limit(query.get("limit", "")), cursor)


def mark(keys: SubjectKeys, of: Mapping[str, str], cursor: Cursor) -> str:
    """Where a page ended, for the address of the next: only for the same search, and only as it was given."""
    return f"{cursor}.{_check(keys, of, str(cursor))}"


def read_mark(keys: SubjectKeys, of: Mapping[str, str], text: str) -> Cursor:
    """Undo `mark`. Raises Refused(invalid_request) for anything else."""
    position, _, check = text.partition(".")
    try:
        cursor = Cursor.read(position)
    except SearchRefused as error:
        raise Refused(Code.INVALID_REQUEST, member="cursor") from error
    if not hmac.compare_digest(check.encode(), _check(keys, of, position).encode()):
        raise Refused(Code.INVALID_REQUEST, member="cursor")
    return cursor


def _check(keys: SubjectKeys, of: Mapping[str, str], position: str) -> str:
    text = json.dumps([position, sorted(of.items())])
    digest = hmac.digest(keys.lookup, b"mark\n" + text.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:_MARK]).decode()


def _checked(name: str, text: str) -> str:
    try:
        return _READINGS.get(name, read_label)(text)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=name) from error


def _event(text: str) -> str:
    if text not in EVENTS:
        raise ValueError("no such event")
    return text


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text or date.fromisoformat(text).year not in _YEARS:
        raise ValueError("not written as 2026-11-30")
    return text


def _month(text: str) -> str:
    month(text)
    return text


def _span(given: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Microseconds since 1970; None where there is no such end."""
    if "month" in given:
        if "from" in given or "until" in given:
            raise Refused(Code.INVALID_REQUEST, member="month")
        since, before = month(given["month"])
        return since - _EAST, before - _EAST
    since_day = _midnight(date.fromisoformat(given["from"])) if "from" in given else None
    before_day = _midnight(date.fromisoformat(given["until"]) + _DAY) if "until" in given else None
    return since_day, before_day


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), BEIJING).timestamp()) * 1_000_000


def _limit(text: str) -> int:
    if not text:
        return ON_A_PAGE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= AT_MOST and len(text) <= len(str(AT_MOST))):
        raise Refused(Code.INVALID_REQUEST, member="limit")
    return int(text)


_READINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "event": _event,
    "month": _month,
    "from": _day,
    "until": _day,
}
