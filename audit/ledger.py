"""The one door for writes: group commit, sequencing and sealing.

Every change of state is a unit of work given to `record`. One writer thread takes all units that queued while the last
commit ran and runs them in one transaction, each with its entries; so state and log can never disagree, and a commit is
paid once per batch. The steps of a batch, in the order that a crash may cut them:

 1 turn     wait for this process's turn (the database's lock), read the head
 2 work     each unit in its own savepoint; one that raises leaves nothing behind
 3 stamp    index and time go inside the leaf as it is appended: no caller can back-date, nothing slips in later
 4 seal     entries, full tiles, search rows, root, signed checkpoint, head
 5 commit   durable from here
 6 wake     each caller learns its value, its entries and how to prove them
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, insert, select, update

from audit import merkle, tables, tiles
from audit.checkpoint import LogSigner, format_proof
from audit.errors import EntryTooLarge, LedgerBusy, LedgerUnavailable
from audit.events import Event

T = TypeVar("T")

BATCH_LIMIT: Final = 256
ENTRY_LIMIT: Final = 60 * 1024
"""Bytes; C2SP tlog-tiles caps an entry at 65,535."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Turn = Callable[[], AbstractContextManager[Connection]]
"""Gives a connection inside a write transaction that no other process can overlap, and commits it on leaving."""


class Entry(msgspec.Struct, frozen=True):
    """What an entry's bytes hold."""

    v: int
    index: int
    time: str
    event: str
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Head:
    """The tree as of the last commit."""

    origin: str
    frontier: merkle.Frontier
    last_time: int
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry is in the log: its exact bytes and a C2SP tlog-proof."""

    entry: bytes
    proof: str


@dataclass(frozen=True, slots=True)
class _Stamped:
    """One entry in its place: what is hashed, and the rows it is found by."""

    body: bytes
    leaf: bytes
    time: int
    rows: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class _Batch:
    """One commit's additions. Owned by the writer thread until the commit, read-only for callers after it."""

    head: Head
    now: int
    growth: merkle.Growth
    entries: list[_Stamped] = field(default_factory=list)
    checkpoint: bytes = b""

    @property
    def next_index(self) -> int:
        return self.head.frontier.size + len(self.entries)

    @property
    def last_time(self) -> int:
        return self.entries[-1].time if self.entries else self.head.last_time


@dataclass(frozen=True, slots=True)
class Recorded(Generic[T]):
    """A unit of work that is durable: its value, and the indexes of the entries it appended."""

    value: T
    entries: range
    _batch: _Batch

    def receipt(self, index: int) -> Receipt:
        """The receipt of one of this unit's entries. IndexError for anybody else's."""
        if index not in self.entries:
            raise IndexError(index)
        batch = self._batch
        path = batch.growth.inclusion_path(index)
        body = batch.entries[index - batch.head.frontier.size].body
        return Receipt(body, format_proof(index, path, batch.checkpoint))


class Transaction:
    """What a unit of work sees: a connection, the batch's time, and the log to append to."""

    def __init__(self, connection: Connection, batch: _Batch) -> None:
        self.connection = connection
        self._now = batch.now
        self._first = batch.next_index
        self._last_time = batch.last_time
        self.appended: list[_Stamped] = []

    @property
    def time(self) -> int:
        """Microseconds since 1970: the later of the wall clock and the log's last time."""
        return max(self._now, self._last_time)

    @property
    def next_index(self) -> int:
        """The index that the next appended entry will have."""
        return self._first + len(self.appended)

    def append(self, event: Event) -> int:
        """Add an entry to the log; its index. Raises EntryTooLarge above ENTRY_LIMIT bytes."""
        time = max(self._now, self._last_time + 1)
        index = self.next_index
        raw = msgspec.Raw(msgspec.json.encode(event))
        body = msgspec.json.encode(Entry(v=1, index=index, time=format_time(time), event=event.NAME, body=raw))
        if len(body) > ENTRY_LIMIT:
            raise EntryTooLarge(event.NAME, len(body))
        rows = tuple(
            {"idx": index, "line": number, "time": time, "event": event.NAME, **msgspec.structs.asdict(line)}
            for number, line in enumerate(event.index_lines())
        )
        self.appended.append(_Stamped(body, merkle.hash_leaf(body), time, rows))
        self._last_time = time
        return index


@dataclass(frozen=True, slots=True)
class _Unit:
    work: Callable[[Transaction], Any]
    future: "Future[Recorded[Any]]"


class Ledger:
    """Owns the writer thread and the only write connection of this process."""

    def __init__(self, turn: Turn, signer: LogSigner, now: Callable[[], int], *, queue_limit: int = 4096) -> None:
        """`now` is the wall clock in microseconds since 1970."""
        self._turn = turn
        self._signer = signer
        self._now = now
        self._queue_limit = queue_limit
        self._queue: deque[_Unit] = deque()
        self._arrived = threading.Condition()
        self._closing = False
        self._last_time = 0
        self._thread = threading.Thread(target=self._write, name="ledger-writer", daemon=True)
        self._thread.start()

    @property
    def last_time(self) -> int:
        """Microseconds since 1970 of the newest entry this process has seen; a clock set back revives nothing."""
        return self._last_time

    def record(self, work: Callable[[Transaction], T]) -> "Future[Recorded[T]]":
        """Queue a unit of work before returning, so that no disconnect or cancellation can drop it.

        The future gives the value once it is durable, or raises what `work` raised (nothing was written then), or
        LedgerUnavailable. Raises LedgerBusy at once when the queue is full.
        """
        future: Future[Recorded[T]] = Future()
        future.set_running_or_notify_cancel()  # from here on cancelling the waiter cannot cancel the work
        with self._arrived:
            if self._closing:
                raise LedgerUnavailable("the ledger is closed")
            if len(self._queue) >= self._queue_limit:
                raise LedgerBusy
            self._queue.append(_Unit(work, future))
            self._arrived.notify()
        return future

    def close(self) -> None:
        """Commit what has queued and end the writer."""
        with self._arrived:
            self._closing = True
            self._arrived.notify()
        self._thread.join()

    def _write(self) -> None:
        while units := self._take():
            self._commit(units)

    def _take(self) -> list[_Unit]:
        with self._arrived:
            self._arrived.wait_for(lambda: self._queue or self._closing)
            return [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_LIMIT))]

    def _commit(self, units: list[_Unit]) -> None:
        results: list[tuple[_Unit, Recorded[Any] | Exception]] = []
        try:
            with self._turn() as connection:  # 1, and 5 on leaving
                batch = self._open(connection)
                results = [(unit, _run(unit, connection, batch)) for unit in units]  # 2, 3
                if batch.entries:
                    self._seal(connection, batch)  # 4
        except Exception as error:  # noqa: BLE001 - whatever failed, every caller must learn that nothing is promised
            for unit in units:
                unavailable = LedgerUnavailable(type(error).__name__)
                unavailable.__cause__ = error
                unit.future.set_exception(unavailable)
            return
        self._last_time = batch.last_time
        for unit, result in results:  # 6
            if isinstance(result, Recorded):
                unit.future.set_result(result)
            else:
                unit.future.set_exception(result)

    def _open(self, connection: Connection) -> _Batch:
        head = read_head(connection)
        return _Batch(head, self._now(), merkle.Growth(head.frontier))

    def _seal(self, connection: Connection, batch: _Batch) -> None:
        first = batch.head.frontier.size
        for entry in batch.entries:
            batch.growth.append(entry.leaf)
        connection.execute(
            insert(tables.entry),
            [{"idx": first + n, "leaf_hash": e.leaf, "body": e.body} for n, e in enumerate(batch.entries)],
        )
        if rows := [row for entry in batch.entries for row in entry.rows]:
            connection.execute(insert(tables.index), rows)
        if full := tiles.completed(connection, batch.growth):
            connection.execute(insert(tables.tile), full)
        frontier = batch.growth.frontier()
        batch.checkpoint = self._signer.sign(frontier.size, frontier.root())
        connection.execute(
            update(tables.head).values(
                size=frontier.size,
                frontier=frontier.packed(),
                root=frontier.root(),
                last_time=batch.last_time,
                checkpoint=batch.checkpoint,
            )
        )


def _run(unit: _Unit, connection: Connection, batch: _Batch) -> Recorded[Any] | Exception:
    transaction = Transaction(connection, batch)
    first = transaction.next_index
    connection.exec_driver_sql("SAVEPOINT unit")
    try:
        value = unit.work(transaction)
    except Exception as error:  # noqa: BLE001 - the caller's own failure goes to the caller, not to its neighbours
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
        connection.exec_driver_sql("RELEASE SAVEPOINT unit")
        return error
    connection.exec_driver_sql("RELEASE SAVEPOINT unit")
    batch.entries += transaction.appended
    return Recorded(value, range(first, transaction.next_index), batch)


def found(connection: Connection, signer: LogSigner) -> None:
    """Write the head of an empty log. Fails where there is one already."""
    empty = merkle.Frontier(0, ())
    connection.execute(
        insert(tables.head).values(
            id=1,
            origin=signer.name,
            size=0,
            frontier=b"",
            root=empty.root(),
            last_time=0,
            checkpoint=signer.sign(0, empty.root()),
        )
    )


def read_head(connection: Connection) -> Head:
    """The log's size, frontier, last time and checkpoint. Raises LedgerUnavailable where there is no log yet."""
    row = connection.execute(select(tables.head)).one_or_none()
    if row is None:
        raise LedgerUnavailable("the database holds no log; run `broker init` first")
    frontier = merkle.Frontier.unpack(row.size, row.frontier)
    return Head(row.origin, frontier, row.last_time, row.checkpoint)


def format_time(microseconds: int) -> str:
    """RFC 3339 UTC with six digits."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
