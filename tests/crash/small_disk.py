"""Disks that can be filled, and made read-only under a running broker, without touching anybody else's."""

import gc
import resource
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 16 * 1024 * 1024


class SmallDisk(ABC):
    """A folder, and its disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def fill(self) -> None: ...

    @abstractmethod
    def free(self) -> None: ...


class Mounted(SmallDisk):
    """A small disk of its own, in memory."""

    def fill(self) -> None:
        with (self.folder / "filling").open("wb", buffering=0) as stream:
            for piece in (1024 * 1024, 4096, 1):
                try:
                    while True:
                        stream.write(bytes(piece))
                except OSError:
                    continue

    def free(self) -> None:
        (self.folder / "filling").unlink()

    def turn_read_only(self) -> None:
        """Only while nobody has a file open to write."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True, capture_output=True)


class Limited(SmallDisk):
    """No file of this process may grow beyond what the largest of the folder has now."""

    def fill(self) -> None:
        largest = max(file.stat().st_size for file in self.folder.rglob("*-wal"))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))

    def free(self) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def mounted(folder: Path) -> Iterator[Mounted]:
    """A mount that is gone afterwards; skips, loudly, where mounting is not allowed."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"FULL AND READ-ONLY DISK NOT TESTED, this user may not mount one: {done.stderr.strip()}")
    try:
        yield Mounted(folder)
    finally:
        gc.collect()  # connections that were in use while the pool was let go are closed with the last word of them
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def limited(folder: Path) -> Iterator[Limited]:
    """For whoever may not mount: the kernel refuses growth as a full disk does."""
    folder.mkdir()
    disk = Limited(folder)
    try:
        yield disk
    finally:
        disk.free()
