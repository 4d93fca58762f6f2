"""By which day questions, corrections and applications are to be answered: settings with sources, the calendar."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import msgspec

from broker.moments import day_of
from policies.strict_yaml import Located
from policies.workdays import Workdays

LONGEST: Final = 365
KNOWN_AHEAD: Final = 60
"""Days for which the calendar of workdays should be known."""


class DeadlinesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days from the one after she asked."""

    question_days: int = 15
    """For an auditor's answer. PIPL articles 45 and 50 say "in time" and no number; this is within the 15 workdays
    or 30 days of GB/T 35273 for requests of the person concerned."""
    correction_workdays: int = 10
    """For a department's answer. The Regulation on the sharing of government data (State Council Decree 809): data that
    is said to be wrong is checked within 10 workdays, which may be prolonged once by 10."""
    unconditional_workdays: int = 1
    """For the reply to an application for what is shared without condition. This and those below: the same Regulation,
    from memory; hold them against the text in force, and against your own city's rules."""
    conditional_workdays: int = 10
    """For the reply to any other application."""
    prolonged_workdays: int = 10
    """By how many it may be prolonged once, where the authority for government data consents."""
    supply_workdays: int = 20
    """Within which is supplied what was granted."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    question_days: int
    correction_workdays: int
    workdays: Workdays
    unconditional_workdays: int = 1
    conditional_workdays: int = 10
    prolonged_workdays: int = 10
    supply_workdays: int = 20

    def question(self, now: float) -> str:
        """The last day for an answer, as 2026-12-11; `now` is seconds since 1970."""
        return (day_of(now) + timedelta(days=self.question_days)).isoformat()

    def correction(self, now: float) -> str:
        return self.workdays.after(day_of(now), self.correction_workdays).isoformat()

    def reply(self, now: float, *, unconditional: bool) -> str:
        """To an application."""
        workdays = self.unconditional_workdays if unconditional else self.conditional_workdays
        return self.workdays.after(day_of(now), workdays).isoformat()

    def prolonged(self, due_on: str) -> str:
        return self.workdays.after(date.fromisoformat(due_on), self.prolonged_workdays).isoformat()

    def supply(self, now: float) -> str:
        return self.workdays.after(day_of(now), self.supply_workdays).isoformat()


def read_deadlines(given: DeadlinesFile, workdays: Workdays, located: Located) -> Deadlines:
    """Raises ConfigurationError."""
    numbers = {name: getattr(given, name) for name in given.__struct_fields__}
    for name, number in numbers.items():
        if not 1 <= number <= LONGEST:
            raise located.error(f"{name} is from 1 to {LONGEST}", "deadlines", name)
    return Deadlines(**numbers, workdays=workdays)


def warnings(workdays: Workdays, now: float) -> list[str]:
    """What `broker check` says of a calendar that is about to end."""
    unknown = workdays.first_unknown(day_of(now), KNOWN_AHEAD)
    if unknown is None:
        return []
    notice = "the State Council's notice (国务院办公厅节假日安排通知)"
    return [f"the calendar of workdays ends: from {unknown} on it counts Monday to Friday; add {notice} for that year"]


def is_over(due_on: str, now: float) -> bool:
    """Whether the last day has passed."""
    return day_of(now).isoformat() > due_on
