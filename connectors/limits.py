"""The one place where a route's limits stand: what it may cost, when it is asked, and when the next one is tried."""

from typing import Annotated, Final

import msgspec

from connectors.breaker import BreakerLimits
from connectors.hours import Hours, Outage
from connectors.memory import Quota
from policies.vocabulary import TRANSIENT_OUTCOMES, Outcome

Calls = Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]

FALL_BACK_ON: Final = (Outcome.DEPARTMENT_DOWN, Outcome.TIMEOUT)
MAY_FALL_BACK: Final = TRANSIENT_OUTCOMES | {Outcome.DENIED_BY_DEPARTMENT, Outcome.NEED_MANUAL, Outcome.NO_RECORD}
"""After an answer of substance nobody else is asked, but after `no_record` where the file says so."""


class Retries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a read that could not be delivered is sent once more, within the same deadline."""

    most: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    budget: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1
    """Retries per first try, on average: a department in trouble is not asked several times as much."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything but the deadline and the places, which every route must name."""

    per_minute: Calls | None = None
    per_hour: Calls | None = None
    per_day: Calls | None = None
    hours: Hours | None = None
    outages: tuple[Outage, ...] = ()
    retries: Retries = Retries()
    breaker: BreakerLimits = BreakerLimits()
    oldest_seconds: Annotated[int, msgspec.Meta(ge=0)] = 0
    """An answer whose as-of time lies further back is stale and not released; 0 lets every age through."""
    fall_back_on: tuple[Outcome, ...] = FALL_BACK_ON
    """With which outcomes of this route the next one is tried."""

    def quotas(self) -> tuple[Quota, ...]:
        """Return the quotas, the shortest window first."""
        if self.per_minute is None and self.per_hour is None and self.per_day is None:
            return ()
        given = ((60, self.per_minute), (3600, self.per_hour), (86400, self.per_day))
        return tuple(Quota(seconds, most) for seconds, most in given if most is not None)
