"""A disk that loses its power: it keeps what was synced, and of the rest whatever chance will have, sector by sector.

The rules are the hardest that a file system may have (POSIX, fsync): a write or a new size is safe after a sync of its
file alone, a name after a sync of its folder, in order; of unsafe writes any may be there and others not, 512 bytes at
a time. A sync that fails has let go of what it should have written, as Linux does: only what is written anew is tried
again.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from tests.crash.recording import Act, Created, Linked, Renamed, Said, Synced, Truncated, Unlinked, Written

SECTOR, PAGE = 512, 4096
NOT_KEPT = ("-shm", ".turn")
"""Made anew by whoever opens the database first: memory and locks that only look like files."""
Keeps: TypeAlias = Literal["nothing", "everything", "some"]
"""Of what was not synced."""


@dataclass
class File:
    """What programs see of a file, and what its disk holds."""

    seen: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    unsafe: list[tuple[int, bytes]] = field(default_factory=list)
    """(offset, octets) of sectors; a new size is (size, b"")."""

    def write(self, at: int | None, octets: bytes) -> None:
        if at is None:
            assert not self.safe, "where this is written to depends on what was read and sought before"
            at = len(self.seen)
        end = at + len(octets)
        _extend(self.seen, end)
        self.seen[at:end] = octets
        for begin in range(at - at % SECTOR, end, SECTOR):
            self.unsafe.append((begin, bytes(self.seen[begin : begin + SECTOR])))

    def truncate(self, size: int) -> None:
        _extend(self.seen, size)
        del self.seen[size:]
        self.unsafe.append((size, b""))

    def sync(self) -> None:
        """Whole pages are written, so with a change its neighbours too."""
        for begin in {at - at % PAGE for at, octets in self.unsafe if octets}:
            page = self.seen[begin : begin + PAGE]
            _extend(self.safe, begin + len(page))
            self.safe[begin : begin + len(page)] = page
        _extend(self.safe, len(self.seen))
        del self.safe[len(self.seen) :]
        self.unsafe.clear()

    def after_cut(self, keeps: Keeps, chance: random.Random) -> bytes:
        if keeps == "everything":
            return bytes(self.seen)
        left = bytearray(self.safe)
        share = chance.random() if keeps == "some" else 0.0
        for at, octets in self.unsafe:
            if chance.random() >= share:
                continue
            _extend(left, at + len(octets))
            if octets:
                left[at : at + len(octets)] = octets
            else:
                del left[at:]
        return bytes(left)


@dataclass
class Disk:
    """A folder's files. Everything in it is safe to begin with."""

    folder: Path
    seen: dict[Path, File] = field(default_factory=dict)
    safe: dict[Path, File] = field(default_factory=dict)
    unsafe: list[dict[Path, File | None]] = field(default_factory=list)
    """Changes of names, in order; None for a name that is gone."""

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        files = {}
        for path in folder.iterdir():
            if path.is_file() and _is_kept(path):
                octets = path.read_bytes()
                files[path] = File(bytearray(octets), bytearray(octets))
        return cls(folder, dict(files), dict(files))

    def follow(self, act: Act) -> None:
        match act:
            case Said():
                pass
            case Synced(file, failed):
                self._sync(file, failed=failed)
            case Created(file) if file not in self.seen:
                self._name({file: File()})
            case Written(file, at, octets) if _is_kept(file):
                self.seen[file].write(at, octets)
            case Truncated(file, size) if _is_kept(file):
                self.seen[file].truncate(size)
            case Linked(file, name):
                self._name({name: self.seen[file]})
            case Renamed(file, name):
                self._name({name: self.seen[file], file: None})
            case Unlinked(file):
                self._name({file: None})

    def sync_fails(self) -> None:
        """The system tried to write what nobody had asked it to sync, and could not: all of it is let go of."""
        for file in self.seen.values():
            file.unsafe.clear()

    def after_cut(self, keeps: Keeps, chance: random.Random, folder: Path) -> None:
        """Write into a new folder what the disk holds when the power comes back."""
        names = dict(self.safe)
        kept = {"nothing": 0, "everything": len(self.unsafe)}.get(keeps, chance.randint(0, len(self.unsafe)))
        for change in self.unsafe[:kept]:
            _rename(names, change)
        folder.mkdir()
        for path, file in names.items():
            (folder / path.name).write_bytes(file.after_cut(keeps, chance))

    def _name(self, change: "dict[Path, File | None]") -> None:
        change = {path: file for path, file in change.items() if _is_kept(path)}
        _rename(self.seen, change)
        self.unsafe.append(change)

    def _sync(self, file: Path, *, failed: bool) -> None:
        if file == self.folder:
            if not failed:
                self.safe, self.unsafe = dict(self.seen), []
        elif _is_kept(file):
            if failed:
                self.seen[file].unsafe.clear()
            else:
                self.seen[file].sync()


def _rename(names: dict[Path, File], change: dict[Path, File | None]) -> None:
    for path, file in change.items():
        if file is not None:
            names[path] = file
        else:
            names.pop(path, None)


def _is_kept(path: Path) -> bool:
    return not path.name.endswith(NOT_KEPT)


def _extend(octets: bytearray, size: int) -> None:
    octets.extend(bytes(max(0, size - len(octets))))
