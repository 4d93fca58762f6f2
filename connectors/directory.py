"""Where each item is asked: its ordered routes, each with its deadline, its places and its limits.

`ask` promises, whatever a connector does
- it returns an `Answer` and raises nothing but the caller's own cancellation;
- it takes no longer than the deadlines of the routes it tries, waiting for a free place included;
- it tries the next route only after an outcome that the route's `fall_back_on` names, never after an answer;
- it asks nobody outside service hours, beyond a quota, or while a breaker is open;
- a question left pending is carried on with on its own route, under the same limits where that calls the department;
- what it returns holds no field that was not asked for, and for an item of kind `verify` no record at all.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import structlog

from connectors.breaker import Verdict
from connectors.contract import Answer, Connector, Question, Ticket
from connectors.enforcement import within_contract
from connectors.health import Observed, RouteHealth, Watch, verdict_of
from connectors.hours import Outage
from connectors.memory import Memory, OwnMemory
from connectors.routes import Routes, read_routes
from connectors.trouble import DepartmentError
from connectors.way import Way
from policies.vocabulary import Item, Outcome
from policies.workdays import MONDAY_TO_FRIDAY, Workdays

T = TypeVar("T")

_log = structlog.get_logger("connectors")

_CLOSING_SECONDS: Final = 2
NOTHING: Final[Mapping[str, tuple[Outage, ...]]] = {}
"""No outage was announced."""


def utc_now() -> datetime:
    """Return the wall clock, timezone-aware UTC."""
    return datetime.now(UTC)


def unwatched(_observed: Observed) -> None:
    """Count nothing."""


class Directory:
    """Item id -> ordered ways. Owns the connectors: whoever loads it closes it."""

    def __init__(
        self,
        ways: Mapping[str, Sequence[Way]],
        *,
        digest: str = "",
        now: Callable[[], datetime] = utc_now,
        watch: Watch = unwatched,
    ) -> None:
        self.digest = digest
        """SHA-256 hex of the routes file's bytes."""
        self._ways = ways
        self.since = now()
        """When this process began to ask: what it says of health is no older."""
        self._now = now
        self._watch = watch
        self._running: set[asyncio.Task[Answer]] = set()

    @classmethod
    def load(
        cls,
        path: Path,
        catalogue_items: Mapping[str, Item],
        secrets_folder: Path,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> "Directory":
        """Read the routes file strictly, to ask by this process alone. Raises ConfigurationError with file and line."""
        routes = read_routes(path, catalogue_items, secrets_folder)
        return cls.open(routes, OwnMemory(lambda: now().timestamp()), now=now)

    @classmethod
    def open(
        cls,
        routes: Routes,
        memory: Memory,
        *,
        workdays: Workdays = MONDAY_TO_FRIDAY,
        now: Callable[[], datetime] = utc_now,
        watch: Watch = unwatched,
    ) -> "Directory":
        """Make the connectors of a file that was read; nothing is connected yet."""
        ways = {item: [one.way(memory, now, workdays) for one in made] for item, made in routes.items.items()}
        return cls(ways, digest=routes.digest, now=now, watch=watch)

    def items(self) -> frozenset[str]:
        """Return the items that have a route."""
        return frozenset(self._ways)

    def health(self, announced: Mapping[str, tuple[Outage, ...]] = NOTHING) -> Sequence[RouteHealth]:
        """Return how every route does, in the file's order; `announced` are outages by item, beside the file's."""
        now = self._now()
        return [way.health(item, now, announced.get(item, ())) for item, ways in self._ways.items() for way in ways]

    async def ask(self, question: Question, announced: tuple[Outage, ...] = ()) -> Answer:
        """Return the answer of the first route after which no other is to be tried, else the last one's.

        `announced` are outages of the item that its department has told, beside those of the file.
        """
        answer: Answer | None = None
        for way in self._ways.get(question.item.id, ()):
            asked, asking = self._now(), functools.partial(way.fetch, question)
            answer = way.expecting(await self._watched(way, question, asking, announced), asked)
            if answer.outcome not in way.limits.fall_back_on:
                break
        return answer or self._without_records("", DepartmentError(Outcome.NEED_MANUAL, "no_route"))

    async def carry_on(
        self, question: Question, route: str, ticket: Ticket, announced: tuple[Outage, ...] = ()
    ) -> Answer:
        """Ask the route that left the question pending whether there is an answer by now.

        A route that is gone from the file has nothing more to say: `department_down`.
        """
        way = self._way(question.item.id, route)
        if way is None:
            return self._without_records(route, DepartmentError(Outcome.DEPARTMENT_DOWN, "route_removed"))
        if way.calls_again:
            return await self._watched(way, question, lambda: way.carry_on(question, ticket), announced)
        unchecked = await self._in_time(way, question, lambda: way.carry_on(question, ticket))
        return within_contract(unchecked, route, question, self._now(), way.limits.oldest_seconds)

    def read(self, question: Question, route: str, reading: Callable[[], Answer]) -> Answer:
        """What somebody brought to us as this route's answer, held to the same contract as what we fetch."""
        try:
            unchecked = reading()
        except Exception as error:  # noqa: BLE001 - judged as a failed fetch is
            unchecked = self._without_records(route, _told(route, error, question.call))
        way = self._way(question.item.id, route)
        oldest = way.limits.oldest_seconds if way is not None else 0
        return within_contract(unchecked, route, question, self._now(), oldest)

    def connector(self, item: str, route: str) -> Connector | None:
        """The connector of one route, for what only its kind can do."""
        way = self._way(item, route)
        return way.connector if way is not None else None

    def connectors(self, kind: type[T]) -> list[T]:
        """Every connector of one kind."""
        return [way.connector for ways in self._ways.values() for way in ways if isinstance(way.connector, kind)]

    def deadline(self, item: str, route: str) -> float:
        """Seconds that one asking of this route may take; 0 where there is no such route."""
        way = self._way(item, route)
        return way.deadline if way is not None else 0

    async def aclose(self) -> None:
        """End what is still under way, then let go of every connector."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=_CLOSING_SECONDS)
        for ways in self._ways.values():
            for way in ways:
                await way.connector.aclose()

    def _way(self, item: str, route: str) -> Way | None:
        return next((way for way in self._ways.get(item, ()) if way.connector.route == route), None)

    async def _watched(
        self, way: Way, question: Question, asking: Callable[[], Awaitable[Answer]], announced: tuple[Outage, ...]
    ) -> Answer:
        """Ask one route, remember how it did and let whoever counts know."""
        began = time.monotonic()
        answer = await self._ask_one(way, question, asking, announced)
        route, took = way.connector.route, time.monotonic() - began
        way.course.note(answer, self._now(), took)
        self._watch(Observed(way.department, route, question.call, answer.outcome, answer.raw_code, took))
        return answer

    async def _ask_one(
        self, way: Way, question: Question, asking: Callable[[], Awaitable[Answer]], announced: tuple[Outage, ...]
    ) -> Answer:
        """Ask nobody where the hours or the breaker say so; whatever happens, the breaker hears of it."""
        route = way.connector.route
        now = self._now()
        opens = way.answers_at(now, announced)
        if opens != now:
            return self._without_records(route, DepartmentError(Outcome.CLOSED_HOURS, "closed"), opens)
        permit = way.breaker.enter()
        if permit is None:
            left_alone = DepartmentError(Outcome.DEPARTMENT_DOWN, "breaker_open", wait=way.breaker.wait)
            return self._without_records(route, left_alone)
        verdict = Verdict.NOTHING
        try:
            unchecked = await self._in_time(way, question, asking)
            answer = within_contract(unchecked, route, question, self._now(), way.limits.oldest_seconds)
            verdict = verdict_of(answer)
        finally:
            way.breaker.leave(permit, verdict)
        return answer

    async def _in_time(self, way: Way, question: Question, asking: Callable[[], Awaitable[Answer]]) -> Answer:
        """In a task of its own: a connector that swallows its cancellation must not hold up the caller."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(asking(), loop=loop)
        self._running.add(task)
        enough = loop.create_future()  # as asyncio.wait does it, which costs five times as much
        task.add_done_callback(functools.partial(self._ended, enough))
        timer = loop.call_later(way.deadline, _wake, enough)
        try:
            await enough
        finally:
            timer.cancel()
            task.cancel()
        route = way.connector.route
        if not task.done():
            return self._without_records(route, DepartmentError(Outcome.TIMEOUT, "deadline"))
        if task.cancelled():
            return self._without_records(route, DepartmentError(Outcome.DEPARTMENT_DOWN, "cancelled"))
        error = task.exception()
        return task.result() if error is None else self._without_records(route, _told(route, error, question.call))

    def _ended(self, enough: asyncio.Future[None], task: asyncio.Task[Answer]) -> None:
        _wake(enough)
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, or asyncio would log its text, which may hold a value

    def _without_records(self, route: str, trouble: DepartmentError, opens: datetime | None = None) -> Answer:
        now = self._now()
        return Answer(
            outcome=trouble.outcome,
            route=route,
            as_of=now,
            department_request=trouble.department_request,
            raw_code=trouble.code,
            retry_at=opens or (now + timedelta(seconds=trouble.wait) if trouble.wait else None),
        )


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _told(route: str, error: BaseException, call: str) -> DepartmentError:
    if isinstance(error, DepartmentError):
        return error
    if isinstance(error, TimeoutError):
        return DepartmentError(Outcome.TIMEOUT, "silence")
    if isinstance(error, OSError):
        return DepartmentError(Outcome.DEPARTMENT_DOWN, "connection")
    _log.error("connector_failed", route=route, call=call, failure=type(error).__name__)
    return DepartmentError(Outcome.GARBLED, type(error).__name__)
