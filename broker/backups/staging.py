"""Where copies are made and put together: a folder beside the target that is gone afterwards, whatever happens.

Only what is whole and on the disk ever gets its name. What a killed run left is cleared away by the next one beside it:
a copy of the database must not lie about.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from broker.secret_files import write_secret

PREFIX: Final = ".broker-backup-"


@contextmanager
def staging(beside: Path) -> Iterator[Path]:
    """A new folder in the folder `beside`, for this process alone."""
    _sweep(beside)
    folder, lock = _locked_folder(beside)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def publish(file: Path, name: Path) -> None:
    """Give a whole file its name, for good. Raises FileExistsError where something has it."""
    sync(file)
    os.link(file, name)
    file.unlink()
    sync(name.parent)


def write_whole(place: Path, content: bytes) -> None:
    """A new file that only its owner can read, there whole or not at all. Raises FileExistsError."""
    with staging(place.parent) as folder:
        write_secret(folder / "new", content)
        publish(folder / "new", place)


def sync(path: Path) -> None:
    """A file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_folder(beside: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)  # another run took it for a dead one's before it was locked


def _sweep(beside: Path) -> None:
    for folder in beside.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
