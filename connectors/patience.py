"""How long a route waits for an answer that takes longer than its deadline, and what it says meanwhile."""

from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from connectors.contract import Answer, Ticket
from connectors.hours import CHINA, TimeOfDay, moment_of
from connectors.route import Place
from policies.vocabulary import Outcome
from policies.workdays import Workdays

_DAY: Final = 24 * 3600


class Promised(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By when the department says that it answers: a time of day, so many workdays after the day it was asked."""

    workdays: Annotated[int, msgspec.Meta(ge=0, le=60)]
    at: TimeOfDay

    def answers_at(self, asked: datetime, calendar: Workdays) -> datetime:
        """Return by when, later than `asked`; with no workdays between, today if it is one and still early enough."""
        today = asked.astimezone(CHINA).date()
        day = calendar.after(today, self.workdays)
        if not self.workdays and not (calendar.is_worked(day) and asked < moment_of(day, self.at)):
            day = calendar.after(today, 1)
        return moment_of(day, self.at)


class Patience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often to look for the answer, when it may be expected, and when nobody waits any more."""

    poll_seconds: Annotated[float, msgspec.Meta(ge=1, le=_DAY)] = 60
    give_up_seconds: Annotated[float, msgspec.Meta(ge=1, le=90 * _DAY)] = 7 * _DAY
    promised: Promised | None = None
    """As the department itself says; where it says nothing, nobody is told a time."""

    def answers_at(self, asked: datetime, calendar: Workdays) -> datetime | None:
        """Return by when an answer may be expected; None where nobody knows, or nobody waits that long."""
        if self.promised is None:
            return None
        promised = self.promised.answers_at(asked, calendar)
        return promised if promised <= asked + timedelta(seconds=self.give_up_seconds) else None


def check_patience(patience: Patience, place: Place) -> None:
    """Raise ConfigurationError for a promise that nobody would wait for."""
    promised = patience.promised
    if promised is not None and promised.workdays * _DAY > patience.give_up_seconds:
        raise place.at("promised", "workdays").error("by then nobody waits any more: give_up_seconds is shorter")


def left_pending(
    route: str, patience: Patience, state: str, now: datetime, *, comes_to_us: bool = False, code: str = ""
) -> Answer:
    """The department has the question. `state` is what this route needs to carry on; it names no person."""
    again_after = None if comes_to_us else patience.poll_seconds
    ticket = Ticket(state, again_after, patience.give_up_seconds)
    return Answer(outcome=Outcome.PENDING, route=route, as_of=now, raw_code=code, ticket=ticket)
