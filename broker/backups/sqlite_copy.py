"""A copy of the embedded database by SQLite's online backup, and its way back.

The copy is made on one of the broker's own read-only connections, inside its read transaction: it takes no lock that a
writer waits for, and nothing outside the broker's rules ever commits, checkpoints or closes (broker/sqlite.py).
"""

import contextlib
import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from broker.backups.archive import Archive, Progress
from broker.backups.errors import BackupDamaged, BackupRefused
from broker.backups.staging import sync
from broker.processes import living_in
from broker.sqlite import SqliteDatabase, processes_of, turn_of

MEMBER: Final = "database/broker.db.gz"
PAGES: Final = 2048
"""Copied at once."""
_WITH_IT: Final = ("-wal", "-shm", "-journal")
"""Files that belong to a database's: a log left beside another database would be played into it."""


def copy_out(connection: Connection, folder: Path, progress: Progress) -> Path:
    """Copy what the connection sees, in its transaction. Raises OSError on a full disk, BackupDamaged for bad pages."""
    source, file = connection.connection.driver_connection, folder / "broker.db"
    assert isinstance(source, sqlite3.Connection)
    with _told_by(file), contextlib.closing(sqlite3.connect(file, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous=OFF").close()  # of a copy in the making nothing needs to outlast a crash
        target.execute("PRAGMA locking_mode=EXCLUSIVE").close()  # no shared memory: its file may not fit on the disk
        source.backup(target, pages=PAGES, progress=lambda _, left, total: progress(total - left, total))
        _check_pages(target, "quick_check")
    return file


def unpack(archive: Archive, folder: Path) -> Path:
    """The copy as a file. Raises BackupDamaged."""
    file = folder / "broker.db"
    with file.open("xb") as stream:
        os.fchmod(stream.fileno(), 0o600)
        for piece in archive.unpacked(MEMBER):
            stream.write(piece)
    return file


def check_pages(file: Path) -> None:
    """Raises BackupDamaged where SQLite finds fault with the file."""
    with _told_by(file), contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        _check_pages(connection, "integrity_check")


@contextmanager
def opened(file: Path) -> Iterator[SqliteDatabase]:
    """A file of our own in a scratch folder; everything is in it, and nothing beside it, when the block was left."""
    database = SqliteDatabase(file)
    try:
        yield database
        database.fold()
    finally:
        database.close()


def refuse_living(file: Path) -> None:
    """Raises BackupRefused where a broker serves from this file."""
    if living := living_in(processes_of(file)):
        raise BackupRefused(f"{len(living)} broker(s) are running on {file}: stop them first")


def put_in_place(copy: Path, file: Path) -> Path | None:
    """Give the copy the database's name; where what was there went, None where there was nothing.

    In an order that a crash may cut: the old files go first and together, so that nobody finds a new database beside an
    old write-ahead log, nor an old one without it. Cut in between, there is no database, and the broker says so.
    """
    sync(copy)
    with turn_of(file):
        refuse_living(file)
        old = [found for found in (file, *(Path(f"{file}{end}") for end in _WITH_IT)) if found.exists()]
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = None
        for found in old:
            aside = aside or Path(tempfile.mkdtemp(prefix=f"{file.name}.replaced-{stamp}-", dir=file.parent))
            found.rename(aside / found.name)
        sync(file.parent)
        copy.rename(file)
        sync(file.parent)
    return aside


def is_there(file: Path) -> bool:
    """Whether anything of a database stands here."""
    return any(found.exists() for found in (file, *(Path(f"{file}{end}") for end in _WITH_IT)))


def _check_pages(connection: sqlite3.Connection, pragma: str) -> None:
    try:
        found = connection.execute(f"PRAGMA {pragma}(1)").fetchone()
    except sqlite3.OperationalError:
        raise  # of the disk, not of the pages
    except sqlite3.DatabaseError as error:
        raise BackupDamaged("database", str(error)) from error
    if found != ("ok",):
        raise BackupDamaged("database", f"SQLite's {pragma} finds fault with its pages")


@contextmanager
def _told_by(file: Path) -> Iterator[None]:
    """SQLite's errors as the system's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        full = error.sqlite_errorcode in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(file)) from error
