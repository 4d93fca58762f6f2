"""One route with everything that limits it: its hours, breaker, quotas, places, retries, in this order."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from connectors.breaker import Breaker
from connectors.contract import Answer, Connector, LateConnector, Question, Ticket
from connectors.course import Course
from connectors.health import RouteHealth, state_of
from connectors.hours import Outage, next_answer
from connectors.limits import Limits
from connectors.memory import Memory, quota_name
from connectors.patience import Patience
from connectors.retries import RetryBudget
from connectors.trouble import DepartmentError
from policies.vocabulary import Outcome
from policies.workdays import MONDAY_TO_FRIDAY, Workdays


@dataclass(slots=True)
class Way:
    """One route: its connector, its deadline in seconds, its places and its limits. Owned by one event loop."""

    connector: Connector
    deadline: float
    places: asyncio.Semaphore
    limits: Limits = field(default_factory=Limits)
    memory: Memory | None = None
    """Counts the quotas; a route without quotas needs none."""
    department: str = ""
    level: str = ""
    workdays: Workdays = MONDAY_TO_FRIDAY
    patience: Patience | None = None
    """Of a route that may leave a question pending."""
    clock: Callable[[], float] = time.monotonic
    breaker: Breaker = field(init=False)
    course: Course = field(init=False)
    _budget: RetryBudget = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.limits.breaker, self.clock)
        self.course = Course(self.clock)
        self._budget = RetryBudget(self.limits.retries)

    def answers_at(self, now: datetime, announced: tuple[Outage, ...] = ()) -> datetime | None:
        """Return `now` while it is open, else when it opens next; None where nobody can say."""
        outages = (*self.limits.outages, *announced)
        return next_answer(self.limits.hours, outages, now, self.workdays)

    def expecting(self, answer: Answer, now: datetime) -> Answer:
        """Return it with by when the department means to answer, where it was left pending and that is known."""
        if answer.outcome is not Outcome.PENDING or self.patience is None:
            return answer
        return replace(answer, retry_at=self.patience.answers_at(now, self.workdays))

    async def fetch(self, question: Question) -> Answer:
        """Ask within the places and quotas, once more where that may help. The deadline is the directory's to hold."""
        async with self.places:
            return await self._budget.ask(self._counted, question)

    @property
    def calls_again(self) -> bool:
        """Whether carrying on calls the department; on a route of another kind by now it fails as a call does."""
        return getattr(self.connector, "calls_again", True)

    async def carry_on(self, question: Question, ticket: Ticket) -> Answer:
        """Look once whether there is an answer by now, within the places and, where that is a call, the quotas."""
        late = cast("LateConnector", self.connector)  # only such a route ever gave out a ticket
        async with self.places:
            if self.calls_again:
                await self._count()
            return await late.carry_on(question, ticket)

    def health(self, item: str, now: datetime, announced: tuple[Outage, ...] = ()) -> RouteHealth:
        """Return how it does now."""
        opens, course = self.answers_at(now, announced), self.course
        later = self._asked_again(now) if opens == now else opens
        return RouteHealth(
            department=self.department,
            item=item,
            route=self.connector.route,
            level=self.level,
            state=state_of(self.breaker.state, course.asked, self.deadline, closed=opens != now),
            last=course.last,
            well=course.well,
            failure=course.failure,
            answers_at=later if later is not None and now < later else None,
            breaker=self.breaker.state,
            minute=course.minute.pace(),
            hour=course.hour.pace(),
            quotas=self.limits.quotas(),
            outages=tuple(outage for outage in self.limits.outages if now < outage.span()[1]),
        )

    def _asked_again(self, now: datetime) -> datetime | None:
        """When a question will be let through to the department, as far as anybody said."""
        if self.breaker.wait:
            return now + timedelta(seconds=self.breaker.wait)
        return self.course.last.retry_at if self.course.last is not None else None

    async def _counted(self, question: Question) -> Answer:
        await self._count()
        return await self.connector.fetch(question)

    async def _count(self) -> None:
        """Every try is a call to the department, and counts as one."""
        quotas = self.limits.quotas()
        if quotas and self.memory is not None:
            wait = await self.memory.take(quota_name(self.connector.route), quotas)
            if wait:
                raise DepartmentError(Outcome.QUOTA, "own_quota", wait=wait)
