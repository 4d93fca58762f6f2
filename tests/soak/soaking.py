"""One soak from its beginning to its proof."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audit import verify
from broker.demo.phone import Phone
from broker.signing import SigningKey
from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.people import LIN, NO_HOME, TWO_HOMES, UNMARRIED, XU
from tests.crash.brokers import check_living
from tests.crash.test_withdrawal_races import judged
from tests.faults.serving import Folder, found
from tests.faults.test_kill import check_endings
from tests.soak.brokers import Brokers
from tests.soak.lanes import Answers, Lane
from tests.soak.troubles import Troubles
from tests.soak.watching import EVERY, Course, Watch

PEOPLE: Final = (XU, LIN, UNMARRIED, NO_HOME, TWO_HOMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run."""

    minutes: int
    rate: float
    """Exchanges a second, as far as the machine goes along."""
    processes: int = 3
    database: str = "broker.db"
    minute: float = 60.0
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen; that everything verified is what lets it exist."""

    seconds: float
    seen: Counter[str]
    outcomes: Counter[str]
    troubles: Counter[str]
    latencies: Sequence[float]
    entries: int
    receipts: int
    interrupted: int
    withdrawn: int
    courses: Sequence[Course]


async def soak(folder: Path, order: Order, chance: random.Random, tell: Callable[[str], None]) -> Outcome:
    """Raises AssertionError for whatever is wrong at the end, and at once for an answer that is not right."""
    with Fleet.start(folder / "departments") as fleet:
        brokers = Brokers(found(folder, fleet, order.database, "localhost"), chance)
        answers = Answers(folder / "answers.jsonl", brokers.folder.vkey)
        watch = Watch()
        try:
            await brokers.start(order.processes)
            lanes = await _lanes(brokers, answers, order)
            troubles = Troubles(brokers, fleet, lanes, chance, order.minute)
            await troubles.straighten(*NAMES)
            began = time.monotonic()
            await _go_through(troubles, watch, order, tell)
            seconds = time.monotonic() - began
        finally:
            statuses = await brokers.end()
    assert set(statuses) == {-signal.SIGTERM}, f"not every broker ended by what it was told: {statuses}"
    tell("verifying the log and every receipt")
    entries, withdrawn = _check(brokers.folder, answers)
    interrupted = sum(entry["event"] == "exchange.interrupted" for entry in entries)
    return Outcome(
        seconds=seconds,
        seen=answers.seen,
        outcomes=answers.outcomes,
        troubles=troubles.counted,
        latencies=sorted(answers.seconds),
        entries=len(entries),
        receipts=len(brokers.folder.receipts),
        interrupted=interrupted,
        withdrawn=withdrawn,
        courses=watch.courses(),
    )


async def _lanes(brokers: Brokers, answers: Answers, order: Order) -> list[Lane]:
    centre = brokers.folder.centre(brokers.session())
    lanes = []
    for person in PEOPLE:
        phone = Phone(brokers.session(), brokers.folder.settings.issuer, person, SigningKey.generate())
        assert (await phone.sign_in()).status == 204
        assert (await phone.enrol()).status == 201
        lanes.append(Lane(centre, phone, answers, brokers.chance, len(PEOPLE) / order.rate))
    return lanes


async def _go_through(troubles: Troubles, watch: Watch, order: Order, tell: Callable[[str], None]) -> None:
    over = asyncio.Event()
    watching = asyncio.create_task(_watch(troubles.brokers, watch))
    try:
        async with asyncio.TaskGroup() as load:
            for lane in troubles.lanes:
                load.create_task(lane.go_on(over))
            for minute in range(order.minutes):
                await troubles.one_minute()
                answered = len(troubles.lanes[0].answers.seconds)
                tell(
                    f"minute {minute + 1} of {order.minutes}: {answered} answered, {troubles.counted['killed']} killed"
                )
            over.set()
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(brokers: Brokers, watch: Watch) -> None:
    while True:
        watch.look(brokers.each)
        await asyncio.sleep(EVERY)


def _check(folder: Folder, answers: Answers) -> tuple[list[dict[str, Any]], int]:
    """All entries, and how many consents were withdrawn."""
    entries = folder.entries()
    check_living(entries)
    check_endings(entries)
    withdrawn = judged(entries)
    for answer in answers.kept():
        held = verify.verify_receipt(answer["receipt"], folder.vkey)
        recorded = entries[held.entry.index]
        assert (recorded["event"], recorded["body"]["exchange"]) == ("exchange.released", answer["exchange"])
        folder.receipts.append(answer["receipt"])
    assert folder.check().unfinished == 0
    return entries, withdrawn
