"""What is unusual in a month of calls: pure functions over the rows that the log is found by, one a list.

A finding asks for a closer look and says nothing against anybody. What is not in the log is not judged: names,
addresses and kinship stand nowhere in it, so that a clerk looks up a relative or a colleague cannot be seen here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from broker.moments import BEIJING
from broker.unusual_settings import UnusualFile
from policies.refusals import Code
from policies.workdays import MONDAY_TO_FRIDAY, Workdays

ASKED: Final = "consent.asked"
GRANTED: Final = "consent.granted"
WITHDRAWN: Final = "consent.withdrawn"
ADMITTED: Final = "exchange.admitted"
REFUSED: Final = "exchange.refused"
RELEASED: Final = "exchange.released"
VIEWED: Final = "exchange.viewed"
DECIDED: Final = "exchange.decided"
EVENTS: Final = (ASKED, GRANTED, WITHDRAWN, ADMITTED, REFUSED, RELEASED, VIEWED, DECIDED)
AFTERWARDS: Final = frozenset({GRANTED, WITHDRAWN, VIEWED, DECIDED})
"""What may come after the month and still tell how its cases ended."""
SHOWN: Final = 10
"""Entries named with each finding."""
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_MINUTE: Final = 60 * _SECOND
_SATURDAY: Final = 5


class Row(NamedTuple):
    """A line of the projection, without what no list looks at. `time` is microseconds since 1970."""

    entry: int
    time: int
    event: str
    requester: str
    operator: str
    case: str
    subject_ref: str
    outcome: str


Operator: TypeAlias = tuple[str, str]
"""Requester and staff number: a number alone is another person's at another centre."""
CaseOf: TypeAlias = tuple[str, str]
"""Requester and case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to look at: whose, how much of how much, and the newest entries."""

    kind: str
    requester: str = ""
    operator: str = ""
    person: str = ""
    day: str = ""
    count: int
    of: int
    """Out of how many; 0 where there is no such number."""
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """The rows of some weeks in order, by event."""

    by_event: Mapping[str, Sequence[Row]]
    now: int
    workdays: Workdays = MONDAY_TO_FRIDAY

    @classmethod
    def of(cls, rows: Iterable[Row], now: int, workdays: Workdays = MONDAY_TO_FRIDAY) -> "Month":
        by_event: dict[str, list[Row]] = {name: [] for name in EVENTS}
        for row in rows:
            by_event[row.event].append(row)
        return cls(by_event, now, workdays)

    def decided(self) -> set[CaseOf]:
        return {(row.requester, row.case) for row in self.by_event[DECIDED]}


def unusual(month: Month, limits: UnusualFile) -> list[Finding]:
    """All lists, each with what is most first."""
    return [
        finding
        for detect in DETECTORS.values()
        for finding in sorted(detect(month, limits), key=lambda one: (-one.count, one.day))
    ]


def no_finished_case(month: Month, limits: UnusualFile) -> list[Finding]:
    """Data was released, and long after it the case was neither viewed nor decided."""
    done = month.decided() | {(row.requester, row.case) for row in month.by_event[VIEWED]}
    before = month.now - limits.finish_days * _DAY
    return _undecided("no_finished_case", _last_of_case(month.by_event[RELEASED], before), done, limits)


def viewed_not_decided(month: Month, limits: UnusualFile) -> list[Finding]:
    """Somebody looked at what had been released, and nothing was decided."""
    before = month.now - limits.decide_days * _DAY
    return _undecided("viewed_not_decided", _last_of_case(month.by_event[VIEWED], before), month.decided(), limits)


def after_hours(month: Month, limits: UnusualFile) -> list[Finding]:
    """Calls of one operator on one day, outside the hours."""
    days = _by_day(row for row in month.by_event[ADMITTED] if _is_after_hours(row.time, limits, month.workdays))
    return [
        _of_day("after_hours", who, day, rows, calls)
        for (who, day), rows in days.items()
        if (calls := len({row.entry for row in rows})) >= limits.after_hours_calls
    ]


def operator_many_people(month: Month, limits: UnusualFile) -> list[Finding]:
    """One operator looks up very many people in one day."""
    days = {
        key: (rows, len({row.subject_ref for row in rows})) for key, rows in _by_day(month.by_event[ADMITTED]).items()
    }
    return [
        _of_day("operator_many_people", who, day, rows, people)
        for (who, day), (rows, people) in days.items()
        if people >= limits.many_people
    ]


def person_many_operators(month: Month, limits: UnusualFile) -> list[Finding]:
    """One person is looked up by many operators."""
    by_person: dict[str, list[Row]] = defaultdict(list)
    for row in month.by_event[ADMITTED]:
        by_person[row.subject_ref].append(row)
    return [
        Finding(kind="person_many_operators", person=person, count=count, of=len(rows), entries=_newest(rows))
        for person, rows in by_person.items()
        if (count := len({_operator(row) for row in rows})) >= limits.many_operators
    ]


def near_withdrawal(month: Month, limits: UnusualFile) -> list[Finding]:
    """Uses just before a person withdrew that decided nothing, and tries after she had."""
    done = month.decided()
    withdrawn: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in month.by_event[WITHDRAWN]:
        withdrawn[row.requester, row.case, row.subject_ref].append(row.time)
    near = [
        row
        for row in month.by_event[ADMITTED]
        for time in withdrawn.get((row.requester, row.case, row.subject_ref), ())
        if 0 <= time - row.time <= limits.near_minutes * _MINUTE and (row.requester, row.case) not in done
    ]
    tried = [row for row in month.by_event[REFUSED] if row.outcome == Code.CONSENT_WITHDRAWN]
    by_operator: dict[Operator, list[Row]] = defaultdict(list)
    for row in (*near, *tried):
        by_operator[_operator(row)].append(row)
    return [
        _of_operator("near_withdrawal", who, rows, count, 0)
        for who, rows in by_operator.items()
        if (count := len({row.entry for row in rows})) >= limits.near_uses
    ]


def id_sweep(month: Month, limits: UnusualFile) -> list[Finding]:
    """Very many people asked for in a day who never agreed, or calls refused, by one operator."""
    granted = {(row.requester, row.case, row.subject_ref) for row in month.by_event[GRANTED]}
    tried = _by_day([row for row in (*month.by_event[ASKED], *month.by_event[REFUSED]) if row.operator])
    found = []
    for (who, day), rows in tried.items():
        people = {(row.requester, row.case, row.subject_ref) for row in rows}
        in_vain = {key for key in people if key not in granted} | {
            (row.requester, row.case, row.subject_ref) for row in rows if row.event == REFUSED
        }
        if len(in_vain) >= limits.sweep_people and len(in_vain) * 100 >= limits.sweep_percent * len(people):
            found.append(_of_day("id_sweep", who, day, rows, len(in_vain), len(people)))
    return found


DETECTORS: Final[Mapping[str, Callable[[Month, UnusualFile], list[Finding]]]] = {
    "no_finished_case": no_finished_case,
    "viewed_not_decided": viewed_not_decided,
    "after_hours": after_hours,
    "operator_many_people": operator_many_people,
    "person_many_operators": person_many_operators,
    "near_withdrawal": near_withdrawal,
    "id_sweep": id_sweep,
}


def _last_of_case(rows: Iterable[Row], before: int) -> dict[CaseOf, Row]:
    """The last row of each case, where that was long enough ago."""
    last = {(row.requester, row.case): row for row in rows}
    return {case: row for case, row in last.items() if row.time < before}


def _undecided(kind: str, cases: Mapping[CaseOf, Row], done: set[CaseOf], limits: UnusualFile) -> list[Finding]:
    """Operators with many, and relatively many, cases that came to nothing."""
    by_operator: dict[Operator, list[CaseOf]] = defaultdict(list)
    for case, row in cases.items():
        by_operator[_operator(row)].append(case)
    found = []
    for who, mine in by_operator.items():
        left = [case for case in mine if case not in done]
        if len(left) >= limits.undecided_cases and len(left) * 100 >= limits.undecided_percent * len(mine):
            found.append(_of_operator(kind, who, [cases[case] for case in left], len(left), len(mine)))
    return found


def _by_day(rows: Iterable[Row]) -> dict[tuple[Operator, int], list[Row]]:
    """By operator and Beijing's day, as days since 1970."""
    days: dict[tuple[Operator, int], list[Row]] = defaultdict(list)
    for row in rows:
        days[_operator(row), (row.time + 8 * 3600 * _SECOND) // _DAY].append(row)
    return days


def _is_after_hours(time: int, limits: UnusualFile, workdays: Workdays) -> bool:
    local = datetime.fromtimestamp(time / _SECOND, BEIJING)
    day = local.date()
    saturday = limits.saturdays and day.weekday() == _SATURDAY and day not in workdays.holidays
    if not (saturday or workdays.is_worked(day)):
        return True
    return not limits.opens_at <= local.hour < limits.closes_at


def _operator(row: Row) -> Operator:
    return row.requester, row.operator


def _of_day(kind: str, who: Operator, day: int, rows: Sequence[Row], count: int, of: int = 0) -> Finding:
    date = datetime.fromtimestamp(day * _DAY // _SECOND, BEIJING).date().isoformat()
    entries = _newest(rows)
    return Finding(kind=kind, requester=who[0], operator=who[1], day=date, count=count, of=of, entries=entries)


def _of_operator(kind: str, who: Operator, rows: Sequence[Row], count: int, of: int) -> Finding:
    return Finding(kind=kind, requester=who[0], operator=who[1], count=count, of=of, entries=_newest(rows))


def _newest(rows: Sequence[Row]) -> tuple[int, ...]:
    return tuple(sorted({row.entry for row in rows}, reverse=True)[:SHOWN])
