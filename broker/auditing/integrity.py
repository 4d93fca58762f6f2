"""The whole log verified in the background, by the code that an auditor would use on her own machine.

Entries never change and the checkpoint is read once, so each piece is read in a short transaction of its own: a long
one would keep the database from tidying up all the while. One at a time in a process; what came of it is an entry.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from audit import projection, tables, tiles, verify
from audit.batch import read_head
from audit.errors import AuditError
from audit.staff_events import LogVerified
from audit.tiles import TileName, read_tile_path
from broker.staff.people import Member
from broker.storage import Storage
from policies.refusals import Code, Refused

_ENTRIES: Final = "tile/entries/"
_TILE: Final = "tile/"
_RULES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the check that is running has come."""

    by: str
    done: int
    size: int


class Stopped(Exception):
    """The program ends before the check has."""


class Integrity:
    """Owns the thread that checks, if one is running."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._progress: Progress | None = None

    @property
    def progress(self) -> Progress | None:
        """None while nothing is checked."""
        return self._progress

    def start(self, by: Member) -> None:
        """Raises Refused(already_decided) while one is running already."""
        with self._lock:
            if self._progress is not None or self._stopping:
                raise Refused(Code.ALREADY_DECIDED)
            self._progress = Progress(by.number, 0, 0)
            self._thread = threading.Thread(target=self._run, args=(by,), name="integrity", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Before the database is closed; waits for the thread, which looks after each piece."""
        with self._lock:
            self._stopping = True
        if self._thread is not None:
            self._thread.join()

    def _run(self, by: Member) -> None:
        try:
            verified = check(self._storage.reader, self._storage.ledger.signer.vkey, by, self._advance(by))
            self._storage.ledger.record(lambda transaction: transaction.append(verified)).result()
        except (Stopped, AuditError, SQLAlchemyError):
            pass  # nothing is said of a check that did not end; a store in trouble says so itself
        finally:
            self._progress = None

    def _advance(self, by: Member) -> verify.Progress:
        def advance(done: int, size: int) -> None:
            if self._stopping:
                raise Stopped
            self._progress = Progress(by.number, done, size)

        return advance


def check(reader: Engine, vkey: str, by: Member, advance: verify.Progress) -> LogVerified:
    """Hash every entry anew, hold it against the signed root, and the rows that searching goes by against the entry."""
    began, pieces = time.monotonic(), _Pieces(reader)
    with reader.begin() as connection:
        note = read_head(connection).checkpoint
    signed = verify.open_note(note, vkey)
    problems: tuple[verify.Problem, ...] = ()
    try:
        verify.verify_log(pieces.read, note, vkey, advance)
    except verify.VerificationError as error:
        problems = error.problems
    return LogVerified(
        number=by.number,
        role=by.role,
        size=signed.size,
        root=signed.root.hex(),
        problems=list(dict.fromkeys(problem.rule for problem in problems))[:_RULES_SHOWN],
        first_bad=min((problem.index for problem in problems if problem.index is not None), default=-1),
        unindexed=pieces.unindexed,
        seconds=round(time.monotonic() - began),
    )


class _Pieces:
    """The stored log as the files of an export; on the way it counts the entries whose search rows are others."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self.unindexed = 0

    def read(self, path: str, _: int) -> bytes:
        is_bundle = path.startswith(_ENTRIES)
        name = read_tile_path(f"0/{path.removeprefix(_ENTRIES)}" if is_bundle else path.removeprefix(_TILE))
        reading: Callable[[Connection, TileName], bytes] = self._bundle if is_bundle else _tile
        try:
            with self._reader.begin() as connection, tiles.of_its_type():
                return reading(connection, name)
        except AuditError as error:
            raise OSError(str(error)) from error

    def _bundle(self, connection: Connection, name: TileName) -> bytes:
        octets = tiles.entry_bundle(connection, name.number, name.width)
        first = name.number * tiles.WIDTH
        entry, index = tables.entry, tables.index
        here = first, first + name.width - 1
        bodies = connection.execute(select(entry.c.idx, entry.c.body).where(entry.c.idx.between(*here)))
        rows = connection.execute(select(index).where(index.c.idx.between(*here)).order_by(index.c.idx, index.c.line))
        stored: dict[int, list[tuple[Any, ...]]] = {}
        for row in rows:
            stored.setdefault(row.idx, []).append(tuple(row))
        self.unindexed += sum(stored.get(row.idx, []) != _rows(row.body) for row in bodies)
        return octets


def _rows(body: bytes) -> list[tuple[Any, ...]]:
    try:
        return projection.stored_rows(body)
    except ValueError:
        return []  # not an entry at all: the verifier says so


def _tile(connection: Connection, name: TileName) -> bytes:
    size = read_head(connection).frontier.size
    return tiles.tile(connection, size, name.level, name.number, name.width)
