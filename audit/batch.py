"""One commit's additions to the log: units of work append to a batch, which is then sealed as a whole.

Index and time are stamped inside the leaf as it is appended: no caller can back-date, and nothing can be slipped in
later. The frontier of the stored head and the batch's own leaves are all that a receipt needs.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, insert, select, update

from audit import merkle, tables, tiles
from audit.checkpoint import LogSigner, format_proof
from audit.errors import EntryTooLarge, LedgerUnavailable
from audit.event import Event
from audit.prepared import Prepared
from audit.projection import IndexRows, rows_of
from audit.rows import insert_rows

T = TypeVar("T")

ENTRY_LIMIT: Final = 60 * 1024
"""Bytes; C2SP tlog-tiles caps an entry at 65,535."""

_HEAD: Final = Prepared(select(tables.head))
_LOCKED_HEAD: Final = Prepared(select(tables.head).with_for_update())
_MOVE_HEAD: Final = Prepared(update(tables.head), "size", "frontier", "root", "last_time", "checkpoint")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(msgspec.Struct, frozen=True):
    """What an entry's bytes hold."""

    v: int
    index: int
    time: str
    event: str
    body: Event


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
class Stamped:
    """One entry in its place: what is hashed, and the rows it is found by."""

    body: bytes
    leaf: bytes
    time: int
    rows: IndexRows


@dataclass(slots=True)
class Batch:
    """One commit's additions. Owned by the writer thread until the commit, read-only for callers after it."""

    head: Head
    now: int
    growth: merkle.Growth
    entries: list[Stamped] = field(default_factory=list)
    checkpoint: bytes = b""
    read: dict[Hashable, Any] = field(default_factory=dict)
    """What units in a row read once for all of them (`Transaction.once`)."""

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
    _batch: Batch

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

    def __init__(self, connection: Connection, batch: Batch) -> None:
        self.connection = connection
        self._now = batch.now
        self._first = batch.next_index
        self._last_time = batch.last_time
        self._read = batch.read
        self.appended: list[Stamped] = []

    @property
    def time(self) -> int:
        """Microseconds since 1970: the later of the wall clock and the log's last time."""
        return max(self._now, self._last_time)

    @property
    def next_index(self) -> int:
        """The index that the next appended entry will have."""
        return self._first + len(self.appended)

    def once(self, name: Hashable, read: Callable[[Connection], T]) -> T:
        """What `read` gives, read once for all units of a batch until one of them may have changed it."""
        if name not in self._read:
            self._read[name] = read(self.connection)
        found: T = self._read[name]
        return found

    def append(self, event: Event) -> int:
        """Add an entry to the log; its index. Raises EntryTooLarge above ENTRY_LIMIT bytes."""
        time = max(self._now, self._last_time + 1)
        index = self.next_index
        body = msgspec.json.encode(Entry(1, index, format_time(time), event.NAME, event))
        if len(body) > ENTRY_LIMIT:
            raise EntryTooLarge(event.NAME, len(body))
        self.appended.append(Stamped(body, merkle.hash_leaf(body), time, rows_of(index, time, event)))
        self._last_time = time
        return index


def open_batch(connection: Connection, now: int) -> Batch:
    """A batch on top of the stored head, which stays locked until the transaction ends. `now` is in microseconds."""
    head = read_head(connection, lock=True)
    return Batch(head, now, merkle.Growth(head.frontier))


def seal(connection: Connection, batch: Batch, signer: LogSigner) -> None:
    """Write the batch: entries, search rows, full tiles, and the head with its signed checkpoint."""
    first = batch.head.frontier.size
    for entry in batch.entries:
        batch.growth.append(entry.leaf)
    insert_rows(connection, tables.entry, [(first + n, e.leaf, e.body) for n, e in enumerate(batch.entries)])
    insert_rows(connection, tables.index, [row for entry in batch.entries for row in entry.rows])
    if full := tiles.completed(connection, batch.growth):
        connection.execute(insert(tables.tile), full)
    frontier = batch.growth.frontier()
    batch.checkpoint = signer.sign(frontier.size, frontier.root())
    _MOVE_HEAD.change(
        connection,
        size=frontier.size,
        frontier=frontier.packed(),
        root=frontier.root(),
        last_time=batch.last_time,
        checkpoint=batch.checkpoint,
    )


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


def read_head(connection: Connection, *, lock: bool = False) -> Head:
    """The log's size, frontier, last time and checkpoint. Raises LedgerUnavailable where there is no log yet.

    With `lock`, processes that write are ordered by this row (PostgreSQL; on SQLite by the turn itself).
    """
    row = (_LOCKED_HEAD if lock else _HEAD).one(connection)
    if row is None:
        raise LedgerUnavailable("the database holds no log; run `broker init` first")
    frontier = merkle.Frontier.unpack(row.size, row.frontier)
    return Head(row.origin, frontier, row.last_time, row.checkpoint)


def touch_head(connection: Connection) -> None:
    """Leave the head as it is, by way of another value, so that this transaction's commit has something to write."""
    last_time = tables.head.c.last_time
    for step in (1, -1):  # one update to the same value would be left out by SQLite
        connection.execute(update(tables.head).values(last_time=last_time + step))


def format_time(microseconds: int) -> str:
    """RFC 3339 UTC with six digits."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_format_second(seconds)}.{rest:06}Z"


@lru_cache(maxsize=16)
def _format_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
