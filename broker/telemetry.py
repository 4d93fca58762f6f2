"""One JSON log line per request and a handful of counters; nothing here ever holds a personal value."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TextIO

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from connectors.health import Observed

ROUTE: Final = ("department", "route")


def open_log(stream: TextIO | None = None) -> Any:
    """A logger that writes one JSON line per event, to stderr by default: stdout is for data."""
    return structlog.wrap_logger(
        structlog.WriteLogger(stream if stream is not None else sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_written),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _written(line: dict[str, Any], **_: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(line), indent=0).decode()  # on one line, with spaces


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Counters by route template, code and outcome: all closed lists, so no caller can make a new series."""

    log: Any
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Counter = field(init=False)
    refusals: Counter = field(init=False)
    outcomes: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    slow_clients: Counter = field(init=False)
    exchanges: Gauge = field(init=False)
    log_size: Gauge = field(init=False)
    quorum_age: Gauge = field(init=False)
    possible_fork: Gauge = field(init=False)
    timestamp_age: Gauge = field(init=False)
    backup_age: Gauge = field(init=False)
    drill_age: Gauge = field(init=False)
    drill_failed: Gauge = field(init=False)
    department_answers: Counter = field(init=False)
    department_seconds: Histogram = field(init=False)
    department_breaker: Gauge = field(init=False)
    department_quota_left: Gauge = field(init=False)
    department_waiting: Gauge = field(init=False)
    department_waiting_seconds: Gauge = field(init=False)

    def __post_init__(self) -> None:
        def metric(kind: Any, name: str, text: str, labels: tuple[str, ...]) -> Any:
            made = kind(f"broker_{name}", text, labels, registry=self.registry)
            if labels and kind is not Gauge:  # gauges are cleared, and what was looked up before would count for nobody
                made.labels = lru_cache(1024)(made.labels)  # it is asked ten times an exchange, for the same few
            return made

        made = {
            "requests": metric(Counter, "requests", "Requests by route and status", ("route", "status")),
            "refusals": metric(Counter, "refusals", "Refusals by code", ("code",)),
            "outcomes": metric(Counter, "outcomes", "Released items by outcome", ("item", "outcome")),
            "seconds": metric(Histogram, "request_seconds", "Time from first byte to last", ("route",)),
            "slow_clients": metric(Counter, "slow_clients", "Connections closed: their client was slow", ("part",)),
            "exchanges": metric(Gauge, "exchanges_under_way", "Places taken of those that `load` names", ()),
            "log_size": metric(Gauge, "log_size", "Entries in the log", ()),
            "quorum_age": metric(
                Gauge, "quorum_age_seconds", "Since the last quorum of witnesses; 0 while it covers the whole log", ()
            ),
            "possible_fork": metric(Gauge, "possible_fork", "Witnesses that say they saw another history", ()),
            "department_answers": metric(Counter, "department_answers", "Questions by department", (*ROUTE, "outcome")),
            "department_seconds": metric(Histogram, "department_seconds", "Time until a department's answer", ROUTE),
            "department_breaker": metric(
                Gauge, "department_breaker", "1 for the state of this process's breaker", (*ROUTE, "state")
            ),
            "department_quota_left": metric(
                Gauge, "department_quota_left", "Calls that all processes may still make", (*ROUTE, "window")
            ),
            "department_waiting": metric(Gauge, "department_waiting", "Questions not answered yet", ROUTE),
            "department_waiting_seconds": metric(
                Gauge, "department_waiting_seconds", "Since the oldest of them was first pending", ROUTE
            ),
            "timestamp_age": metric(Gauge, "timestamp_age_seconds", "Since the newest time stamp of the log", ()),
            "backup_age": metric(Gauge, "backup_age_seconds", "Since the newest backup", ()),
            "drill_age": metric(Gauge, "backup_drill_age_seconds", "Since a backup was last restored to try it", ()),
            "drill_failed": metric(Gauge, "backup_drill_failed", "1 where the last such try failed", ()),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    def observe_slow(self, closed: Mapping[str, int]) -> None:
        """Count connections that were closed, by what was slow; one line for all of them, however many."""
        for part, number in closed.items():
            self.slow_clients.labels(part).inc(number)
        self.log.info("slow_clients_closed", **closed)

    def observe(self, seen: Observed) -> None:
        """Count one question to a department; of trouble the operator reads the department's own code in the log."""
        self.department_answers.labels(seen.department, seen.route, seen.outcome.value).inc()
        if seen.asked:
            self.department_seconds.labels(seen.department, seen.route).observe(seen.seconds)
        if seen.in_trouble:
            self.log.warning(
                "department_in_trouble",
                department=seen.department,
                route=seen.route,
                call=seen.call,
                outcome=seen.outcome.value,
                code=seen.code,
            )
