"""How each department's routes do, as an operator reads it: the members of /operate/departments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from broker.department_watch import Left, Shared, Watched
from broker.moments import rfc3339
from broker.waiting import Backlog
from broker.wiring import Broker
from connectors.course import Told
from connectors.health import RouteHealth, RouteState
from connectors.hours import Outage
from connectors.pace import Pace
from policies.refusals import Code, Refused

STATES: Final = tuple(str(state) for state in RouteState)


def read_state(state: str) -> str:
    """A state as an address names it; empty for all. Raises Refused(invalid_request) for a word that is none."""
    if state and state not in STATES:
        raise Refused(Code.INVALID_REQUEST, member="state")
    return state


def members(broker: Broker, watched: Watched, state: str = "") -> dict[str, Any]:
    """What is shown; `null` is what nobody knows now, for the store did not answer or nothing happened yet."""
    departments: dict[str, list[dict[str, Any]]] = {}
    for route in watched.routes:
        if state in {"", route.state}:
            departments.setdefault(route.department, []).append(_route(route, watched.shared, broker))
    return {
        "as_of": rfc3339(int(broker.now())),
        "process": broker.process.id,
        "since": _time(broker.directory.since),
        "state": state,
        "states": {word: count for word in STATES if (count := _count(watched.routes, word))},
        "departments": [
            {"department": department, **_names(broker.catalogue.departments[department]), "routes": routes}
            for department, routes in departments.items()
        ],
        "removed": [
            {"department": department, "route": route, "waiting": _waiting(backlog)}
            for department, route, backlog in watched.removed()
        ],
    }


def _route(route: RouteHealth, shared: Shared | None, broker: Broker) -> dict[str, Any]:
    return {
        "route": route.route,
        "item": route.item,
        **_names(broker.catalogue.items[route.item]),
        "level": route.level,
        "state": route.state,
        "answers_at": _time(route.answers_at),
        "breaker": route.breaker,
        "asked_at": _time(route.last.at) if route.last is not None else None,
        "minute": _pace(route.minute),
        "hour": _pace(route.hour),
        "success_at": _time(route.well.at) if route.well is not None else None,  # what it said was about somebody
        "failure": _failure(route.failure),
        "quotas": [_left(left) for left in shared.left(route)] if shared is not None else None,
        "waiting": _waiting(shared.backlog(route)) if shared is not None else None,
        "outages": [_outage(outage) for outage in route.outages],
    }


def _count(routes: Sequence[RouteHealth], state: str) -> int:
    return sum(route.state == state for route in routes)


def _names(named: Any) -> Mapping[str, str]:
    return {"name_zh": named.name_zh, "name_en": named.name_en}


def _pace(pace: Pace) -> dict[str, int | None]:
    return {"asked": pace.asked, "failed": pace.failed, "p50_ms": _ms(pace.p50), "p95_ms": _ms(pace.p95)}


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _failure(told: Told | None) -> dict[str, Any] | None:
    return None if told is None else {"at": _time(told.at), "outcome": told.outcome, "code": told.code}


def _left(left: Left) -> dict[str, Any]:
    return {"window": left.window, "most": left.most, "left": left.left, "renewed_at": rfc3339(left.renewed_at)}


def _waiting(backlog: Backlog) -> dict[str, Any]:
    oldest = backlog.oldest
    return {"count": backlog.count, "oldest_at": rfc3339(oldest) if oldest is not None else None}


def _outage(outage: Outage) -> dict[str, Any]:
    begins, ends = outage.span()
    return {"from": _time(begins), "to": _time(ends), "reason": outage.reason}


def _time(at: datetime | None) -> str | None:
    return rfc3339(int(at.timestamp())) if at is not None else None
