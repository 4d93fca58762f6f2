"""What in a day's use is odd enough for a person to look at: three plain rules, each with its words.

A mark accuses nobody. It says which rule it met, with how many calls, and leads to these calls.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from audit.search import Wanted, newest
from broker.moments import BEIJING
from broker.own_entries import entries
from broker.stewards.periods import span_of_days
from broker.stewards.uses import ASKED, uses_of
from policies.catalogue import Catalogue
from policies.vocabulary import Item

LOOKED_AT_MOST: Final = 3000
"""Calls of one item in a day; of more, the newest."""
NIGHT_FROM: Final = 22
NIGHT_UNTIL: Final = 6
"""Hours in Beijing."""
ALWAYS_FROM: Final = 5
"""Calls from which on one speaks of always."""
BEFORE_DAYS: Final = 14
MULTIPLE: Final = 3
MULTIPLE_FROM: Final = 20
"""Calls from which on a multiple counts: few are soon three times as many."""

Key = tuple[str, str]
"""A requester and an item."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One requester's calls for one item that met a rule: `night`, `all_fields` or `multiple`."""

    rule: str
    requester: str
    item: str
    calls: int
    usual: float | None = None
    """Of a multiple, the calls a day of the time before."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One item of one person that was asked for."""

    requester: str
    item: str
    hour: int
    fields: frozenset[str]

    @property
    def key(self) -> Key:
        return self.requester, self.item


def marks_of(connection: Connection, catalogue: Catalogue, items: Sequence[Item], day: date) -> list[Mark]:
    """Of a day in Beijing."""
    looks = [look for item in items for look in _looks(connection, item, day)]
    return [*_at_night(looks), *_all_fields(looks, catalogue), *_multiples(connection, looks, items, day)]


def mark_rows(marks: Iterable[Mark]) -> Sequence[Mapping[str, Any]]:
    return [{name: getattr(mark, name) for name in Mark.__slots__} for mark in marks]


def _looks(connection: Connection, item: Item, day: date) -> Iterator[_Look]:
    since, before = span_of_days(day)
    wanted = Wanted(item=item.id, events=(ASKED,), since=since, before=before)
    for entry in entries(connection, newest(connection, wanted, LOOKED_AT_MOST)).values():
        hour = datetime.fromisoformat(entry["time"]).astimezone(BEIJING).hour
        for line in entry["body"]["items"]:
            if (line["item"], line["department"]) == (item.id, item.department):
                yield _Look(entry["body"]["requester"], item.id, hour, frozenset(line["fields"]))


def _at_night(looks: Sequence[_Look]) -> Iterator[Mark]:
    nightly = Counter(look.key for look in looks if look.hour >= NIGHT_FROM or look.hour < NIGHT_UNTIL)
    for key, calls in sorted(nightly.items()):
        yield Mark("night", *key, calls)


def _all_fields(looks: Sequence[_Look], catalogue: Catalogue) -> Iterator[Mark]:
    asked: dict[Key, list[frozenset[str]]] = defaultdict(list)
    for look in looks:
        asked[look.key].append(look.fields)
    for key, fields in sorted(asked.items()):
        every = catalogue.items[key[1]].fields.keys()
        if len(fields) >= ALWAYS_FROM and len(every) > 1 and all(every <= one for one in fields):
            yield Mark("all_fields", *key, len(fields))


def _multiples(connection: Connection, looks: Sequence[_Look], items: Sequence[Item], day: date) -> Iterator[Mark]:
    since, before = span_of_days(day - timedelta(days=BEFORE_DAYS), BEFORE_DAYS)
    earlier: Counter[Key] = Counter()
    for use in uses_of(connection, [item.id for item in items], since, before):
        earlier[use.requester, use.item] += use.asked
    for key, calls in sorted(Counter(look.key for look in looks).items()):
        usual = earlier[key] / BEFORE_DAYS
        if calls >= MULTIPLE_FROM and calls > MULTIPLE * usual:
            yield Mark("multiple", *key, calls, round(usual, 1))
