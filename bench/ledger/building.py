"""Fill a real log through the one door, with so many callers at once that commits carry full batches."""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from audit import batch, tables
from audit.anchor import AnchorFile
from audit.batch import Recorded, Transaction
from audit.checkpoint import LogSigner
from audit.event import Event
from audit.ledger import BATCH_LIMIT, Ledger, Safeguards
from bench.ledger.cases import CASES_EACH_PERSON, ENTRIES_EACH, Case, case
from bench.ledger.watching import Progress
from broker.sqlite import SqliteDatabase

CALLERS: Final = 2 * BATCH_LIMIT
"""One full batch commits while the next one queues."""
TIMED_PART: Final = 10
TIMED_LEAST: Final = 5000
FIRST_MOMENT: Final = datetime(2025, 1, 1, tzinfo=UTC)
MONTHS: Final = 24
"""What a log's times span, however many entries it has."""
_SPAN: Final = timedelta(days=730)


@dataclass(slots=True)
class _Clock:
    """Runs with the log, so that each size has as many months."""

    size: int
    done: int = 0

    def now(self) -> int:
        return int((FIRST_MOMENT + _SPAN * (self.done / self.size)).timestamp() * 1_000_000)


@dataclass(slots=True)
class Timing:
    """What the end of the building showed: the last tenth of the log, at least the last 5,000 entries."""

    entries: int
    latencies: list[float] = field(default_factory=list)
    """Seconds of each entry, from being recorded to being durable."""
    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds, the callers' part included."""

    def begin(self) -> None:
        self.seconds, self.cpu = -time.perf_counter(), -time.process_time()

    def end(self) -> None:
        self.seconds += time.perf_counter()
        self.cpu += time.process_time()


@contextmanager
def opened(file: Path, signer: LogSigner) -> Iterator[SqliteDatabase]:
    """A new database with an empty log."""
    database = SqliteDatabase(file)
    try:
        with database.turn() as connection:
            tables.metadata.create_all(connection)
            batch.found(connection, signer)
        yield database
    finally:
        database.close()


def build(database: SqliteDatabase, signer: LogSigner, size: int, progress: Progress) -> Timing:
    """Append `size` entries, a multiple of ENTRIES_EACH, with an anchor beside the database; how the end of it went."""
    clock = _Clock(size)
    anchor = AnchorFile(database.file.with_suffix(".anchor"))
    ledger = Ledger(database.turn, signer, clock.now, safeguards=Safeguards(anchor, 60, database.reopen))
    try:
        return _Building(ledger, clock).run(progress)
    finally:
        ledger.close()


def people_in(size: int) -> int:
    return max(1, size // ENTRIES_EACH // CASES_EACH_PERSON)


class _Building:
    """Callers in turn: one whose entry is durable goes on with its case, or takes up the next."""

    def __init__(self, ledger: Ledger, clock: _Clock) -> None:
        self._ledger, self._clock = ledger, clock
        people = people_in(clock.size)
        self._cases = (case(number, people) for number in range(clock.size // ENTRIES_EACH))
        self._waiting: deque[tuple[Case, Future[Recorded[int]]]] = deque()
        self._timing = Timing(min(clock.size, max(clock.size // TIMED_PART, TIMED_LEAST)))

    def run(self, progress: Progress) -> Timing:
        untimed = self._clock.size - self._timing.entries
        for _ in range(CALLERS):
            self._take_up_next()
        while self._waiting:
            if self._clock.done == untimed:
                self._timing.begin()
            running, future = self._waiting.popleft()
            index = future.result().value
            self._clock.done += 1
            self._go_on(running, index)
            if self._clock.done % 1000 == 0:
                progress(self._clock.done, self._clock.size)
        self._timing.end()
        return self._timing

    def _take_up_next(self) -> None:
        taken = next(self._cases, None)
        if taken is not None:
            self._record(taken, next(taken))

    def _go_on(self, running: Case, index: int) -> None:
        try:
            following = running.send(index)
        except StopIteration:
            self._take_up_next()
        else:
            self._record(running, following)

    def _record(self, running: Case, event: Event) -> None:
        def work(transaction: Transaction) -> int:
            return transaction.append(event)

        began = time.perf_counter()
        future = self._ledger.record(work)
        if self._timing.seconds:
            future.add_done_callback(lambda _: self._timing.latencies.append(time.perf_counter() - began))
        self._waiting.append((running, future))
