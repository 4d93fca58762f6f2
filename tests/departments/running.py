"""What the table needs of a department that runs: its route with the table's limits, and how it is bent."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Answer, Question
from connectors.departments.process import DepartmentProcess
from connectors.directory import Directory
from connectors.routes import read_routes
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS, shipped_route
from tests.connectors.late_asking import Counted

HASTY = 1.0
"""Seconds: the deadline where it is meant to be reached."""
PATIENT = 5.0
"""Where it is not: a busy machine must not look like a fault."""
SET_DEADLINE = f'"deadline_seconds": {HASTY}'
OPEN_SECONDS = 0.3
FAILURES = 3
LIMITS = {
    "breaker": {"failures": FAILURES, "of": FAILURES, "open_seconds": OPEN_SECONDS},
    "oldest_seconds": 7 * 86400,
}
DOOR = {
    "refused": "refused",
    "reset mid-body": "reset",
    "hang at connect": "hang_connect",
    "hang in body": "hang_body",
    "one byte a second": "drip",
    "truncated": "cut",
    "expired certificate": "expired",
    "wrong certificate": "wrong_certificate",
}
"""Faults of the line, which no kind needs to know of."""
HELD = "held"
"""No fault: a late department gets no answer ready until it is told something else."""
Brought = Callable[[Directory, Question], Answer | None]


@dataclass
class Running:
    """A department that runs, as the table sees it."""

    file: Path
    secrets: Path
    bend: Callable[[str], None]
    """Told a fault, `none` or HELD."""
    brought: Brought | None = None
    """Of one that comes to us: its answer to this question, once it has come."""

    def directory(self, deadline: float) -> Directory:
        """Its route with this deadline, and a breaker of its own."""
        file = self.file.with_suffix(f".{deadline}.yaml")
        text = self.file.read_text(encoding="utf-8")
        assert SET_DEADLINE in text
        file.write_text(text.replace(SET_DEADLINE, f'"deadline_seconds": {deadline}'), encoding="utf-8")
        return Directory.open(read_routes(file, ITEMS, self.secrets), Counted())


Start = Callable[[Path, pytest.FixtureRequest], AbstractContextManager[Running]]


@dataclass(frozen=True)
class Kind:
    """One row of the table: a kind of department, asked, or carried on with after it left a question pending."""

    item: str
    healthy: Outcome
    start: Start
    carried_on: bool = False
    unlike: Mapping[str, tuple[frozenset[Outcome], bool]] = field(default_factory=dict)
    """Faults that end otherwise than usual: outcomes, and whether the breaker opens."""
    never_left_alone: bool = False
    """Where nobody is called, such as a look into a folder of our own, there is nobody to leave alone."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Faults that this kind cannot have, and why."""
    short: frozenset[str] | None = None
    """Which faults the short form tries, where not all: what this kind does by code of its own."""


def limited(route: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A route with this table's limits."""
    return {**route, "deadline_seconds": HASTY, "concurrency": 8, "limits": LIMITS, **changes}


def limited_route(item: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """The shipped route of an item with this table's limits."""
    return limited(shipped_route(item, folder), **changes)


def write_route(folder: Path, item: str, route: Mapping[str, Any]) -> Path:
    file = folder / f"{item}.yaml"
    file.write_text(json.dumps({"items": [{"item": item, "routes": [route]}]}, ensure_ascii=False), encoding="utf-8")
    return file


def open_door(folder: Path, target: str, *, tls: bool = False) -> tuple[DepartmentProcess, int]:
    """A front door before the target, and its port."""
    options = ("--target", target, *(["--tls"] if tls else []))
    door = DepartmentProcess.start("front", folder, *options)
    return door, int(door.control("GET", "/front")["port"])
