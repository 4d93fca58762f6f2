"""The one door for writes: group commit, sequencing and sealing.

Every change of state is a unit of work given to `record`. One writer thread takes all units that queued while the last
commit ran and runs them in one transaction, each with its entries; so state and log can never disagree, and a commit is
paid once per batch. The steps of a batch, in the order that a crash may cut them:

 1 turn     wait for this process's turn (the database's lock), lock and read the head
 2 clock    a wall clock behind the log by more than the limit stops everything
 3 work     each unit in its own savepoint; one that raises leaves nothing behind
 4 seal     entries stamped with index and time, tiles, root, signed checkpoint, head      audit/batch.py
 5 commit   durable from here
 6 anchor   size and root into a file outside the database                                 audit/anchor.py
 7 wake     each caller learns its value, its entries and how to prove them

After any failure in 1 to 6 the writer is in trouble: every call is refused until the database has been opened anew, its
tail was found to extend the anchor, and both take writes again. A handle that failed is never tried again. A failed 6
loses nothing: the state stands, the callers are refused, and a repeat finds it.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from audit.anchor import Anchored, AnchorFile, check_extends
from audit.batch import Batch, Recorded, Transaction, open_batch, read_head, seal, touch_head
from audit.checkpoint import LogSigner
from audit.errors import AuditError, ClockBehind, LedgerBusy, LedgerUnavailable, LogForked
from audit.merkle import Frontier
from audit.tail import check_tail
from audit.tiles import of_its_type

T = TypeVar("T")

BATCH_LIMIT: Final = 64
"""Units a commit. PostgreSQL slows down beyond 64 savepoints a transaction; SQLite gains little beyond."""
QUEUE_LIMIT: Final = 4096
HEAL_EVERY: Final = 0.25
"""Seconds between looks whether a fault has gone away."""

Turn = Callable[[], AbstractContextManager[Connection]]
"""Gives a connection inside a write transaction that no other process can overlap, and commits it on leaving."""


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What the ledger holds its database and clock against; the defaults guard nothing and suit small tests."""

    anchor: AnchorFile | None = None
    clock_limit: int | None = None
    """Seconds that the wall clock may lie behind the log's last time."""
    reopen: Callable[[], None] = lambda: None
    """Drops the database's handles, so that the next turn opens new ones."""
    abandon: Callable[[str], None] = lambda _: None
    """Called where the database turns out not to extend the anchor: there is nothing to wait for."""


@dataclass(frozen=True, slots=True)
class _Unit:
    work: Callable[[Transaction], Any]
    leaves_standing: bool
    future: "Future[Recorded[Any]]" = field(default_factory=Future)


class Ledger:
    """Owns the writer thread and the only write connection of this process."""

    def __init__(
        self,
        turn: Turn,
        signer: LogSigner,
        now: Callable[[], int],
        *,
        safeguards: Safeguards | None = None,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        """Start writing. `now` is the wall clock in microseconds.

        Raises LogForked where the database does not extend the anchor, LogDamaged where its head is not the tree's.
        """
        self._turn = turn
        self.signer: Final = signer
        self._now = now
        self._safeguards = safeguards if safeguards is not None else Safeguards()
        self._queue_limit = queue_limit
        self._queue: deque[_Unit] = deque()
        self._arrived = threading.Condition()
        self._closing = False
        self._trouble = ""
        self._last_time = 0
        with turn() as connection, of_its_type():
            self._look(connection)
        self._thread = threading.Thread(target=self._write, name="ledger-writer", daemon=True)
        self._thread.start()

    @property
    def last_time(self) -> int:
        """Microseconds since 1970 of the newest entry this process has seen; a clock set back revives nothing."""
        return self._last_time

    @property
    def trouble(self) -> str:
        """Why nothing can be recorded now; empty where all is well."""
        return self._trouble

    def record(self, work: Callable[[Transaction], T], *, leaves_standing: bool = False) -> "Future[Recorded[T]]":
        """Queue a unit of work before returning, so that no disconnect or cancellation can drop it.

        `leaves_standing` promises that the work changes nothing of what units read by `Transaction.once`; after any
        other unit all that is read anew.

        The future gives the value once it is durable, or raises what `work` raised (nothing was written then), or
        LedgerUnavailable. Raises LedgerBusy at once when the queue is full, LedgerUnavailable while in trouble.
        """
        unit = _Unit(work, leaves_standing)
        unit.future.set_running_or_notify_cancel()  # from here on cancelling the waiter cannot cancel the work
        with self._arrived:
            if self._closing or self._trouble:
                raise LedgerUnavailable(self._trouble or "the ledger is closed")
            if len(self._queue) >= self._queue_limit:
                raise LedgerBusy("the queue is full")
            self._queue.append(unit)
            self._arrived.notify()
        return unit.future

    def close(self) -> None:
        """Commit what has queued and end the writer."""
        with self._arrived:
            self._closing = True
            self._arrived.notify()
        self._thread.join()

    def _write(self) -> None:
        while True:
            if self._trouble:
                self._heal()
            units = self._take()
            if units and not self._trouble:
                self._commit(units)
            elif self._closing and not units:
                return
            else:
                _fail(units, LedgerUnavailable(self._trouble))

    def _take(self) -> list[_Unit]:
        with self._arrived:
            self._arrived.wait_for(lambda: self._queue or self._closing, HEAL_EVERY if self._trouble else None)
            return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_LIMIT))]

    def _commit(self, units: list[_Unit]) -> None:
        try:
            with self._turn() as connection:  # 1, and 5 on leaving
                batch = open_batch(connection, self._now())
                self._check_clock(batch.head.last_time)  # 2
                results = [_run(unit, connection, batch) for unit in units]  # 3
                if batch.entries:
                    seal(connection, batch, self.signer)  # 4
            if batch.entries:
                self._raise_anchor(batch.growth.frontier())  # 6
        except Exception as error:  # noqa: BLE001 - whatever failed, every caller must learn that nothing is promised
            self._fall_into_trouble(error)
            _fail(units, error)
            return
        self._last_time = batch.last_time
        for unit, result in zip(units, results, strict=True):  # 7
            if isinstance(result, Recorded):
                unit.future.set_result(result)
            else:
                unit.future.set_exception(result)

    def _raise_anchor(self, frontier: Frontier) -> None:
        if self._safeguards.anchor is not None:
            self._safeguards.anchor.write(Anchored(frontier.size, frontier.root()))

    def _check_clock(self, last_time: int) -> None:
        limit = self._safeguards.clock_limit
        if limit is not None and last_time - self._now() > limit * 1_000_000:
            raise ClockBehind("the clock is behind the log: set it right")

    def _fall_into_trouble(self, error: Exception) -> None:
        with self._arrived:
            self._trouble = _told(error)

    def _heal(self) -> None:
        try:
            self._safeguards.reopen()
            with self._turn() as connection, of_its_type():
                self._look(connection)
                touch_head(connection)  # a disk that is full or read-only still reads well
                frontier = read_head(connection).frontier
            self._raise_anchor(frontier)
        except LogForked as error:
            self._fall_into_trouble(error)
            self._safeguards.abandon(str(error))
        except Exception as error:  # noqa: BLE001 - still in trouble, perhaps another one: looked at again soon
            self._fall_into_trouble(error)
        else:
            with self._arrived:
                self._trouble = ""

    def _look(self, connection: Connection) -> None:
        head = read_head(connection, lock=True)  # so that no other process's commit comes between what is read below
        anchor = self._safeguards.anchor
        check_extends(connection, anchor.read() if anchor is not None else None)
        check_tail(connection, self.signer)
        self._last_time = max(self._last_time, head.last_time)
        self._check_clock(self._last_time)


def _run(unit: _Unit, connection: Connection, batch: Batch) -> Recorded[Any] | Exception:
    transaction = Transaction(connection, batch)
    first = transaction.next_index
    driver = connection.connection.cursor()  # a savepoint through the whole of SQLAlchemy costs more than most units
    driver.execute("SAVEPOINT unit")
    try:
        value = unit.work(transaction)
    except Exception as error:  # noqa: BLE001 - the caller's own failure goes to the caller, not to its neighbours
        driver.execute("ROLLBACK TO SAVEPOINT unit")
        driver.execute("RELEASE SAVEPOINT unit")
        batch.read.clear()
        return error
    driver.execute("RELEASE SAVEPOINT unit")
    if not unit.leaves_standing:
        batch.read.clear()
    batch.entries += transaction.appended
    return Recorded(value, range(first, transaction.next_index), batch)


def _fail(units: list[_Unit], error: Exception) -> None:
    for unit in units:
        unavailable = error if isinstance(error, LedgerUnavailable) else LedgerUnavailable(_told(error))
        unavailable.__cause__ = None if unavailable is error else error
        unit.future.set_exception(unavailable)


def _told(error: Exception) -> str:
    """The fault in one line for an operator. A database's second line may quote values, so it is left out."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    line = str(cause).partition("\n")[0]
    return line if isinstance(error, AuditError) else f"{type(cause).__name__}: {line}"
