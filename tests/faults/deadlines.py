"""The fleet's own routes with another deadline: to reach it sooner, or not at all."""

import copy
from pathlib import Path

from connectors.departments.fleet import Fleet

SHIPPED = "deadline_seconds: 3"


def with_deadline(fleet: Fleet, folder: Path, seconds: float) -> Fleet:
    """The same running departments; each is given so many seconds to answer."""
    text = fleet.routes_file.read_text(encoding="utf-8")
    assert SHIPPED in text
    folder.mkdir(parents=True, exist_ok=True)
    bent = copy.copy(fleet)
    bent.routes_file = folder / "departments.yaml"
    bent.routes_file.write_text(text.replace(SHIPPED, f"deadline_seconds: {seconds}"), encoding="utf-8")
    return bent
