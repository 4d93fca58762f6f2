"""Thousands of slow clients of each sort, and what everybody else notices of them."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.failure import RunFailed
from bench.overload.attackers import KINDS
from bench.overload.driving import OK, Driver, percentile
from bench.overload.three_times import ITEMS

RATE = 20.0
"""Exchanges a second of everybody else."""
LASTING = 14.0
"""Seconds: past the end of every slow client that is closed in time."""


@dataclass(frozen=True, slots=True)
class Slow:
    kind: str
    number: int
    closed: int
    last: float
    """Seconds after it was open."""
    others: int
    unanswered: int
    others_p50: float
    others_p99: float


async def measure(driver: Driver, number: int, tell: Callable[[str], None]) -> list[Slow]:
    """None at all first, for comparison. Raises RunFailed."""
    measured = []
    for kind in ("none", *KINDS):
        tell(f"slow clients: {kind}")
        await driver.stock.add(ITEMS, int(RATE * LASTING) + 1)
        attacking = asyncio.create_task(_attack(driver.port, kind, number)) if kind in KINDS else None
        answers = await driver.open_loop(RATE, LASTING)
        told: dict[str, Any] = await attacking if attacking is not None else {"closed": 0, "last": 0.0}
        seconds = [one.seconds for one in answers]
        unanswered = sum(one.status != OK for one in answers)
        p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
        asked = number if attacking is not None else 0
        measured.append(Slow(kind, asked, told["closed"], told["last"] or 0.0, len(answers), unanswered, p50, p99))
    return measured


async def _attack(port: int, kind: str, number: int) -> dict[str, Any]:
    words = (sys.executable, "-m", "bench.overload.attackers", str(port), kind, str(number))
    child = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    said, _ = await child.communicate()
    if child.returncode:
        raise RunFailed(f"the slow clients could not be opened: {child.returncode}")
    told: dict[str, Any] = json.loads(said)
    return told
