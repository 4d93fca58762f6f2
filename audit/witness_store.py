"""What a witness remembers, in its own SQLite file: the logs it watches, and the last tree it cosigned of each.

Whoever can write this file can make the witness forget what it saw, and so cosign a second history.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from audit.errors import NotInLog
from audit.merkle import EMPTY_ROOT
from audit.note import LOG_KEY, VerifierKey, read_vkey

_TABLES: Final = """
CREATE TABLE log_key (vkey TEXT PRIMARY KEY, origin TEXT NOT NULL) STRICT;
CREATE TABLE watched (
    origin TEXT PRIMARY KEY, origin_hash TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, root BLOB NOT NULL, checkpoint BLOB NOT NULL
) STRICT;
"""
_BUSY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """The last tree that was cosigned; the empty one where none was."""

    size: int
    root: bytes


class Turn:
    """One origin's record, read under the lock under which it will be replaced."""

    def __init__(self, connection: sqlite3.Connection, origin: str) -> None:
        self._connection, self._origin = connection, origin
        size, root = connection.execute("SELECT size, root FROM watched WHERE origin = ?", (origin,)).fetchone()
        self.watched: Final = Watched(size, root)

    def replace(self, size: int, root: bytes, checkpoint: bytes) -> None:
        """Remember the tree about to be cosigned. Never a smaller one, never another of the same size."""
        replaced = self._connection.execute(
            "UPDATE watched SET size = ?1, root = ?2, checkpoint = ?3"
            " WHERE origin = ?4 AND (size < ?1 OR (size = ?1 AND (root = ?2 OR size = 0)))",
            (size, root, checkpoint, self._origin),
        )
        assert replaced.rowcount == 1, "a witness must never go back"


class WitnessStore:
    """Opens the file anew for each use: a handle that met a fault is never used again."""

    def __init__(self, file: Path) -> None:
        """An existing store; NotInLog where there is none."""
        if not file.is_file():
            raise NotInLog(f"{file} is not there; run `broker witness init` first")
        self._file = file

    @classmethod
    def create(cls, file: Path) -> "WitnessStore":
        """A new, empty store. Never overwrites: FileExistsError."""
        if file.exists():
            raise FileExistsError(file)
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(_TABLES)
        return cls(file)

    def watch(self, vkey: str) -> str:
        """Trust a log's key for the origin that it names; the origin. Raises NoteRefused for a key that is not one."""
        key = read_vkey(vkey, LOG_KEY)
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO log_key VALUES (?, ?)", (vkey, key.name))
            connection.execute(
                "INSERT OR IGNORE INTO watched VALUES (?, ?, 0, ?, x'')",
                (key.name, sha256(key.name.encode()).hexdigest(), EMPTY_ROOT),
            )
        return key.name

    def keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        """The keys trusted for an origin; none for a log that is not watched."""
        with closing(self._open()) as connection:
            rows = connection.execute("SELECT vkey FROM log_key WHERE origin = ? ORDER BY vkey", (origin,)).fetchall()
        return tuple(read_vkey(vkey, LOG_KEY) for (vkey,) in rows)

    def checkpoint(self, origin_hash: str) -> bytes:
        """The last cosigned checkpoint, by the hex SHA-256 of the origin. Raises NotInLog where there is none."""
        with closing(self._open()) as connection:
            found = connection.execute(
                "SELECT checkpoint FROM watched WHERE origin_hash = ?", (origin_hash,)
            ).fetchone()
        if not found or not found[0]:
            raise NotInLog("no checkpoint of this log was cosigned")
        return bytes(found[0])

    @contextmanager
    def turn(self, origin: str) -> Iterator[Turn]:
        """Check and record as one: durable when the block has been left, undone where it raises."""
        with self._transaction() as connection:
            yield Turn(connection, origin)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=_BUSY_SECONDS)
        # A rollback journal, for older SQLite can lose commits in write-ahead mode; EXTRA is FULL and also syncs the
        # folder after the journal is gone, else a power cut could bring it back and undo what was answered.
        connection.execute("PRAGMA journal_mode=DELETE").close()
        connection.execute("PRAGMA synchronous=EXTRA").close()
        return connection
