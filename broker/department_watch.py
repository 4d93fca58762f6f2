"""How each department's routes do, for operators: what this process saw, and what all processes share in the store.

Counts, times, closed words and the departments' own codes: no person, no case, no exchange stands here.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from broker.connector_memory import used_now
from broker.telemetry import Telemetry
from broker.waiting import Backlog, backlogs
from broker.wiring import Broker
from connectors.breaker import State
from connectors.health import RouteHealth
from connectors.memory import Quota, quota_name, window_start

ANSWER_SECONDS: Final = 2.0
"""A store that hangs must not hide how the departments do."""
WINDOWS: Final[Mapping[int, str]] = {60: "minute", 3600: "hour", 86400: "day"}


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one quota in the window that holds this moment."""

    window: str
    most: int
    left: int
    renewed_at: int


@dataclass(frozen=True, slots=True)
class Shared:
    """What the store says of all processes, at one moment."""

    now: float
    used: Mapping[tuple[str, int], int]
    backlogs: Mapping[tuple[str, str], Backlog]

    def left(self, route: RouteHealth) -> list[Left]:
        return [self._left(quota_name(route.route), quota) for quota in route.quotas]

    def backlog(self, route: RouteHealth) -> Backlog:
        return self.backlogs.get((route.department, route.route), Backlog(0, None))

    def _left(self, name: str, quota: Quota) -> Left:
        used = self.used.get((name, quota.seconds), 0)
        renewed_at = window_start(self.now, quota) + quota.seconds
        return Left(WINDOWS[quota.seconds], quota.most, max(0, quota.most - used), renewed_at)


@dataclass(frozen=True, slots=True)
class Watched:
    """Every route at one moment."""

    routes: Sequence[RouteHealth]
    shared: Shared | None
    """None where the store did not answer."""

    def removed(self) -> Iterator[tuple[str, str, Backlog]]:
        """What is still waited for on routes that the file has no more: nobody will answer it."""
        known = {(route.department, route.route) for route in self.routes}
        for (department, route), backlog in (self.shared.backlogs if self.shared else {}).items():
            if (department, route) not in known:
                yield department, route, backlog


async def watch(broker: Broker) -> Watched:
    """Look once; never fails, and never waits long."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            shared = await broker.storage.read(lambda connection: read_shared(connection, broker.now()))
    except (TimeoutError, SQLAlchemyError):
        shared = None
    return Watched(broker.directory.health(), shared)


def read_shared(connection: Connection, now: float) -> Shared:
    return Shared(now, used_now(connection, now), backlogs(connection))


def measure(telemetry: Telemetry, routes: Sequence[RouteHealth], shared: Shared) -> None:
    """Set the gauges. Their labels are the routes file's names: what it has no more is told no more."""
    for gauge in (telemetry.department_waiting, telemetry.department_waiting_seconds):
        gauge.clear()
    for route in routes:
        for state in State:
            telemetry.department_breaker.labels(route.department, route.route, state).set(route.breaker is state)
        for left in shared.left(route):
            telemetry.department_quota_left.labels(route.department, route.route, left.window).set(left.left)
        backlog = shared.backlog(route)
        age = shared.now - backlog.oldest if backlog.oldest is not None else 0
        telemetry.department_waiting.labels(route.department, route.route).set(backlog.count)
        telemetry.department_waiting_seconds.labels(route.department, route.route).set(max(0, age))
