"""The embedded database: one SQLite file, one write connection, and a turn that no other process can overlap.

SQLite before 3.51.3 can lose a committed transaction in write-ahead mode when a commit and a checkpoint of two
connections overlap. So automatic checkpoints are off on every connection, readers are read-only, and only a writer
checkpoints or closes, under the same file lock as commits. This holds for every version, so none is trusted more.
"""

import fcntl
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from broker.processes import FileLock
from broker.safety import Safety
from policies.strict_yaml import ConfigurationError

OLDEST_SQLITE: Final = (3, 37, 0)
FOLD_ABOVE: Final = 16 * 1024 * 1024
"""Bytes of write-ahead log after which the writer folds it into the database file."""
BUSY_SECONDS: Final = 10
"""How long a connection waits for a lock that a program beside us holds; our own processes take turns."""
_PIECE: Final = 1024 * 1024
SAFE: Final = {"journal_mode": "wal", "synchronous": 2, "wal_autocheckpoint": 0}
"""Read back on every write connection; synchronous 2 is FULL: a commit is on the disk when it returns."""


class SqliteDatabase:
    """Owns the engines and the lock file beside the database."""

    def __init__(self, file: Path) -> None:
        """Open an existing or new database file. Raises ConfigurationError where a durable setting does not hold."""
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise ConfigurationError(f"{file}:1: SQLite {sqlite3.sqlite_version} is too old")
        self.file = file
        self._log = f"{file}-wal"
        self._thread_lock = threading.Lock()  # a file lock holds processes apart, not this process's threads
        self._lock = os.open(f"{file}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._writer = _engine(f"file:{file}?mode=rwc", "BEGIN IMMEDIATE", StaticPool)
        self.reader = _engine(f"file:{file}?mode=ro", "BEGIN", QueuePool, pool_size=8, max_overflow=0)
        event.listen(self._writer, "connect", _make_durable)
        event.listen(self.reader, "connect", _make_read_only)
        with self._locked():
            self._secure_log()
            self._check_settings()

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """This process's turn to write: a transaction that is durable when the block has been left."""
        with self._locked():
            with self._writer.begin() as connection:
                yield connection
            if self._waiting_bytes() > FOLD_ABOVE:
                self._fold()

    def sweep(self) -> None:
        """Freed pages are overwritten as they are freed (secure_delete); the log that still shows them is folded in."""
        self.fold()

    def fold(self) -> None:
        """Bring the write-ahead log into the file now; what was deleted is then in neither."""
        with self._locked():
            self._fold()

    @contextmanager
    def long_turn(self) -> Iterator[Connection]:
        """A turn like any other: nothing limits how long a statement takes."""
        with self.turn() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All as of its first read. Writers go on; the write-ahead log is folded in once this has ended."""
        with self.reader.begin() as connection:
            yield connection

    def process_lock(self) -> FileLock:
        return FileLock(processes_of(self.file))

    def safety(self) -> Safety:
        with self._locked():
            self._check_settings()
        return Safety(f"SQLite {sqlite3.sqlite_version}", {name: str(value) for name, value in SAFE.items()})

    def reopen(self) -> None:
        """Let go of handles that a fault may have broken; the next use opens new ones."""
        with self._locked():
            self._writer.dispose()
            self.reader.dispose()
            self._secure_log()

    def close(self) -> None:
        with self._locked():
            self.reader.dispose()
            self._writer.dispose()
        os.close(self._lock)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._thread_lock:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _check_settings(self) -> None:
        with self._writer.connect() as connection:
            for name, value in SAFE.items():
                found = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                if found != value:
                    raise ConfigurationError(f"{self.file}:1: SQLite says {name}={found}, not {value}: unsafe")

    def _secure_log(self) -> None:
        """Write the write-ahead log that is found over itself and sync it, and its name with it.

        Where a sync has failed, the system shows what is not on the disk and will not write it by itself again: Linux
        lets go of such pages. Whatever was committed behind it would be lost with the power.
        """
        file = self.file.resolve()
        if not file.exists():
            return
        mode = stat.S_IMODE(file.stat().st_mode)
        log = os.open(f"{file}-wal", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
        try:
            for at in range(0, os.fstat(log).st_size, _PIECE):
                os.pwrite(log, os.pread(log, _PIECE, at), at)
            os.fsync(log)
        finally:
            os.close(log)
        folder = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _waiting_bytes(self) -> int:
        try:
            return os.stat(self._log).st_size  # noqa: PTH116 - at every commit
        except FileNotFoundError:
            return 0

    def _fold(self) -> None:
        raw = self._writer.raw_connection()
        try:
            # TRUNCATE gives way to readers, at once where no time is given: what they hold back is folded at a later
            # turn. With the usual time one long read would stop every commit for as long.
            for pragma in ("busy_timeout=0", "wal_checkpoint(TRUNCATE)", f"busy_timeout={BUSY_SECONDS * 1000}"):
                raw.cursor().execute(f"PRAGMA {pragma}").close()
        finally:
            raw.close()


def processes_of(file: Path) -> Path:
    """The folder in which each process that serves from this file holds its lock."""
    return Path(f"{file}.processes")


@contextmanager
def turn_of(file: Path) -> Iterator[None]:
    """Hold off every process that would write to this file, without opening it: it may be damaged, or not be there."""
    lock = os.open(f"{file}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _engine(uri: str, begin: str, pool: type[StaticPool | QueuePool], **options: Any) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=pool, hide_parameters=True, **options)
    # The driver's own transaction control is off (isolation_level=None); a transaction begins where we say
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _make_durable(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.execute("PRAGMA secure_delete=ON").close()  # an erased person's key must not stay in free pages


def _make_read_only(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("query_only=ON", "wal_autocheckpoint=0", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()
