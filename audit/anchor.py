"""The anchor: the log's last size and root, kept in a file outside the database, so that an old backup shows itself.

At start, and after every fault, the database must extend the anchor. Two slots with a check each are written in turn,
so a torn write leaves the other. Only the first is synced: a commit is durable before its anchor is written, so an
anchor lost with the power is an older one, which the database extends all the same.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from audit.batch import read_head
from audit.errors import LogDamaged, LogForked
from audit.merkle import root_at
from audit.tiles import node_reader

SLOT: Final = 128
_REMEDY: Final = "Was a backup restored? `broker audit accept-fork` goes on from it, in the open."
_LINE: Final = re.compile(rb"([0-9]{20}) ([0-9a-f]{64}) ([0-9a-f]{16}) *\n")


@dataclass(frozen=True, slots=True, order=True)
class Anchored:
    """A size and root (32 bytes) that the log once had."""

    size: int
    root: bytes


class AnchorFile:
    """Written by every process that commits; the file's own lock keeps a slower one from writing an older anchor."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> Anchored | None:
        """The newest anchor; None where there never was one. Raises LogDamaged where no slot can be read."""
        try:
            with self.file.open("rb") as stream:
                return _newest(stream.read(), self.file)
        except FileNotFoundError:
            return None

    def write(self, anchored: Anchored) -> None:
        """Raise the anchor; never lowers it. OSError where the file cannot be written."""
        try:
            descriptor = os.open(self.file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            self._create(anchored)
            descriptor = os.open(self.file, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            slots = [_read(os.pread(descriptor, SLOT, number * SLOT)) for number in range(2)]
            sizes = [slot.size if slot is not None else -1 for slot in slots]
            if anchored.size > max(sizes):
                os.pwrite(descriptor, _line(anchored), sizes.index(min(sizes)) * SLOT)
        finally:
            os.close(descriptor)

    def _create(self, anchored: Anchored) -> None:
        """Whole and on the disk before it has its name: an empty file, left by a power cut, would refuse to start."""
        descriptor, unnamed = tempfile.mkstemp(prefix=f"{self.file.name}.", dir=self.file.parent)
        try:
            os.write(descriptor, _line(anchored).ljust(2 * SLOT, b"\0"))
            os.fsync(descriptor)
            with contextlib.suppress(FileExistsError):  # another process was as quick
                os.link(unnamed, self.file)
        finally:
            os.close(descriptor)
            Path(unnamed).unlink()

    def replace(self, anchored: Anchored) -> None:
        """Begin anew after a fork that a person has accepted."""
        self.file.unlink(missing_ok=True)
        self.write(anchored)


def check_extends(connection: Connection, anchored: Anchored | None) -> None:
    """Raises LogForked where the stored log is not an extension of the anchor."""
    if anchored is None:
        return
    size = read_head(connection).frontier.size
    if size < anchored.size:
        raise LogForked(f"the database's log has {size} entries, the anchor knows {anchored.size}. {_REMEDY}")
    if root_at(anchored.size, node_reader(connection, size)) != anchored.root:
        raise LogForked(f"the database's log had another root at {anchored.size} entries. {_REMEDY}")


def extends(connection: Connection, anchored: Anchored) -> bool:
    """Whether the stored log extends the anchor, where a no is an answer and not an alarm."""
    try:
        check_extends(connection, anchored)
    except LogForked:
        return False
    return True


def _newest(raw: bytes, file: Path) -> Anchored:
    slots = [slot for number in range(2) if (slot := _read(raw[number * SLOT : (number + 1) * SLOT])) is not None]
    if not slots:
        raise LogDamaged(f"the anchor file {file.name} cannot be read")
    return max(slots)


def _read(raw: bytes) -> Anchored | None:
    found = _LINE.fullmatch(raw)
    if found is None or _check(found[1] + b" " + found[2]) != found[3]:
        return None
    return Anchored(int(found[1]), bytes.fromhex(found[2].decode()))


def _line(anchored: Anchored) -> bytes:
    text = f"{anchored.size:020} {anchored.root.hex()}".encode()
    return (text + b" " + _check(text)).ljust(SLOT - 1) + b"\n"


def _check(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()
