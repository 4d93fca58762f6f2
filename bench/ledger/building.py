"""Fill a real log through the one door, with so many callers at once that commits carry full batches."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import batch, tables
from audit.anchor import AnchorFile
from audit.batch import Recorded, Transaction
from audit.checkpoint import LogSigner
from audit.events import Event
from audit.ledger import BATCH_LIMIT, Ledger, Safeguards
from bench.ledger.cases import CASES_EACH_PERSON, ENTRIES_EACH, Case, case
from broker.sqlite import SqliteDatabase

CALLERS: Final = 2 * BATCH_LIMIT
"""One full batch commits while the next one queues."""
END_PART: Final = 0.1
"""The part of each log, its last, that is timed."""
FIRST_MOMENT: Final = datetime(2025, 1, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=2 * 365)
"""What the log's times span, however many entries it has."""
SIGNER: Final = LogSigner("log.example/bench", Ed25519PrivateKey.generate())

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Clock:
    """Runs with the log, from the first moment on, so that every log has as many months."""

    size: int
    done: int = 0

    def now(self) -> int:
        """Microseconds since 1970."""
        return int((FIRST_MOMENT + SPAN * self.done / self.size).timestamp() * 1_000_000)


@dataclass(slots=True)
class Timing:
    """What the last part of the building showed."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from recording to being durable."""
    began: float = 0.0
    cpu_began: float = 0.0
    seconds: float = 0.0
    cpu: float = 0.0

    def begin(self) -> None:
        self.began, self.cpu_began = time.perf_counter(), time.process_time()

    def end(self) -> None:
        self.seconds, self.cpu = time.perf_counter() - self.began, time.process_time() - self.cpu_began


@contextmanager
def opened(folder: Path) -> Iterator[SqliteDatabase]:
    """The database of the log below `folder`, founded where there is none."""
    file = folder / "log.db"
    new = not file.exists()
    database = SqliteDatabase(file)
    try:
        if new:
            with database.turn() as connection:
                tables.metadata.create_all(connection)
                batch.found(connection, SIGNER)
        yield database
    finally:
        database.close()


def build(database: SqliteDatabase, anchor: Path, size: int, progress: Progress) -> Timing:
    """Append `size` entries, a multiple of ENTRIES_EACH; the timing of the last part."""
    clock = Clock(size)
    ledger = Ledger(database.turn, SIGNER, clock.now, safeguards=Safeguards(AnchorFile(anchor), 60, database.reopen))
    try:
        return _Building(ledger, clock, size).run(progress)
    finally:
        ledger.close()


def people_in(size: int) -> int:
    return max(1, size // ENTRIES_EACH // CASES_EACH_PERSON)


class _Building:
    """Callers in turn: whose entry is durable asks for the case's next, or takes up the next case."""

    def __init__(self, ledger: Ledger, clock: Clock, size: int) -> None:
        self._ledger, self._clock, self._size = ledger, clock, size
        people = people_in(size)
        self._cases = (case(number, people) for number in range(size // ENTRIES_EACH))
        self._waiting: deque[tuple[Case, Future[Recorded[int]]]] = deque()
        self._timing = Timing()
        self._timed = False

    def run(self, progress: Progress) -> Timing:
        for _ in range(CALLERS):
            self._take_up_next()
        timed_from = int(self._size * (1 - END_PART))
        while self._waiting:
            running, future = self._waiting.popleft()
            index = future.result().entries[0]
            self._clock.done += 1
            if not self._timed and self._clock.done >= timed_from:
                self._timed = True
                self._timing.begin()
            self._go_on(running, index)
            if self._clock.done % 1000 == 0:
                progress(self._clock.done, self._size)
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

        future = self._ledger.record(work)
        if self._timed:
            began = time.perf_counter()
            future.add_done_callback(lambda _: self._timing.latencies.append(time.perf_counter() - began))
        self._waiting.append((running, future))
