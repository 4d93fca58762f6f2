"""Where each item is asked: its ordered routes, each with its deadline and its number of places.

`ask` promises, whatever a connector does
- it returns an `Answer` and raises nothing but the caller's own cancellation;
- it takes no longer than the deadlines of the routes it tries, waiting for a free place included;
- it tries the next route only where a department could not be reached in time, never after an answer;
- what it returns holds no field that was not asked for, and for an item of kind `verify` no record at all.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from connectors.contract import Answer, Connector, Question
from connectors.enforcement import within_contract
from connectors.routes import read_routes
from connectors.trouble import DepartmentError
from policies.vocabulary import Item, Outcome

_log = structlog.get_logger("connectors")

FALL_BACK_ON: Final = frozenset({Outcome.DEPARTMENT_DOWN, Outcome.TIMEOUT})
_CLOSING_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Way:
    """One route: its connector, its deadline in seconds and its places."""

    connector: Connector
    deadline: float
    places: asyncio.Semaphore


def utc_now() -> datetime:
    """Return the wall clock, timezone-aware UTC."""
    return datetime.now(UTC)


class Directory:
    """Item id -> ordered ways. Owns the connectors: whoever loads it closes it."""

    def __init__(
        self, ways: Mapping[str, Sequence[Way]], *, digest: str = "", now: Callable[[], datetime] = utc_now
    ) -> None:
        self.digest = digest
        """SHA-256 hex of the routes file's bytes."""
        self._ways = ways
        self._now = now
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
        """Read the routes file strictly. Raises ConfigurationError with file and line for any mistake in it."""
        routes = read_routes(path, catalogue_items, secrets_folder, now)
        ways = {
            item: [Way(one.connector, one.deadline, asyncio.Semaphore(one.concurrency)) for one in made]
            for item, made in routes.items.items()
        }
        return cls(ways, digest=routes.digest, now=now)

    def items(self) -> frozenset[str]:
        """Return the items that have a route."""
        return frozenset(self._ways)

    async def ask(self, question: Question) -> Answer:
        """Return the first route's answer that is not `department_down` or `timeout`, else the last one's."""
        answer = self._without_records("", Outcome.NEED_MANUAL, "no_route")
        for way in self._ways.get(question.item.id, ()):
            unchecked = await self._ask_one(way, question)
            answer = within_contract(unchecked, way.connector.route, question, self._now())
            if answer.outcome not in FALL_BACK_ON:
                break
        return answer

    async def aclose(self) -> None:
        """End what is still under way, then let go of every connector."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=_CLOSING_SECONDS)
        for ways in self._ways.values():
            for way in ways:
                await way.connector.aclose()

    async def _ask_one(self, way: Way, question: Question) -> Answer:
        """In a task of its own: a connector that swallows its cancellation must not hold up the caller."""
        task = asyncio.create_task(_fetch(way, question))
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait({task}, timeout=way.deadline)
        finally:
            task.cancel()
        route = way.connector.route
        if not task.done():
            return self._without_records(route, Outcome.TIMEOUT, "deadline")
        if task.cancelled():
            return self._without_records(route, Outcome.DEPARTMENT_DOWN, "cancelled")
        error = task.exception()
        return task.result() if error is None else self._told(route, error, question.call)

    def _ended(self, task: asyncio.Task[Answer]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, or asyncio would log its text, which may hold a value

    def _told(self, route: str, error: BaseException, call: str) -> Answer:
        if isinstance(error, DepartmentError):
            return self._without_records(route, error.outcome, error.code, error.department_request)
        if isinstance(error, TimeoutError):
            return self._without_records(route, Outcome.TIMEOUT, "silence")
        if isinstance(error, OSError):
            return self._without_records(route, Outcome.DEPARTMENT_DOWN, "connection")
        _log.error("connector_failed", route=route, call=call, failure=type(error).__name__)
        return self._without_records(route, Outcome.GARBLED, type(error).__name__)

    def _without_records(self, route: str, outcome: Outcome, code: str, department_request: str = "") -> Answer:
        return Answer(
            outcome=outcome,
            route=route,
            as_of=self._now(),
            department_request=department_request,
            raw_code=code,
        )


async def _fetch(way: Way, question: Question) -> Answer:
    async with way.places:
        return await way.connector.fetch(question)
