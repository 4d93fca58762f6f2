"""One JSON log line per request and a handful of counters; nothing here ever holds a personal value."""

import sys
from dataclasses import dataclass, field
from typing import Any, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


def open_log(stream: TextIO | None = None) -> Any:
    """A logger that writes one JSON line per event, to stderr by default: stdout is for data."""
    return structlog.wrap_logger(
        structlog.PrintLogger(stream if stream is not None else sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    )


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Counters by route template, code and outcome: all closed lists, so no caller can make a new series."""

    log: Any
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Counter = field(init=False)
    refusals: Counter = field(init=False)
    outcomes: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    log_size: Gauge = field(init=False)
    quorum_age: Gauge = field(init=False)
    possible_fork: Gauge = field(init=False)
    timestamp_age: Gauge = field(init=False)

    def __post_init__(self) -> None:
        def metric(kind: Any, name: str, text: str, labels: tuple[str, ...]) -> Any:
            return kind(f"broker_{name}", text, labels, registry=self.registry)

        made = {
            "requests": metric(Counter, "requests", "Requests by route and status", ("route", "status")),
            "refusals": metric(Counter, "refusals", "Refusals by code", ("code",)),
            "outcomes": metric(Counter, "outcomes", "Released items by outcome", ("item", "outcome")),
            "seconds": metric(Histogram, "request_seconds", "Time from first byte to last", ("route",)),
            "log_size": metric(Gauge, "log_size", "Entries in the log", ()),
            "quorum_age": metric(
                Gauge, "quorum_age_seconds", "Since the last quorum of witnesses; 0 while it covers the whole log", ()
            ),
            "possible_fork": metric(Gauge, "possible_fork", "Witnesses that say they saw another history", ()),
            "timestamp_age": metric(Gauge, "timestamp_age_seconds", "Since the newest time stamp of the log", ()),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)
