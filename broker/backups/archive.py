"""A backup's one file: a plain tar that any `tar` opens, of which no byte is free.

The signed manifest stands first and holds each member's name, size and SHA-256. Every header, the padding and the end
follow from it, and whatever differs from what follows is damage. Members are compressed one by one, inside.
"""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from broker.backups import manifest as manifests
from broker.backups.errors import BackupDamaged
from broker.backups.manifest import Manifest, Member

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
PIECE: Final = 1024 * 1024
NOTE_LIMIT: Final = 4 * 1024 * 1024
LEVEL: Final = 1
"""Of compression. The broker needs the processor too; log entries shrink well already at the quickest."""

Progress = Callable[[int, int], None]
"""(bytes done, bytes in all)"""


def write(stream: BinaryIO, note: bytes, files: Iterable[tuple[Member, Path]]) -> None:
    """Write the archive of members whose sizes and digests the note holds."""
    _write_member(stream, manifests.NAME, len(note), [note])
    for member, path in files:
        with path.open("rb") as file:
            _write_member(stream, member.name, member.size, iter(lambda: file.read(PIECE), b""))
    stream.write(END)


def packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A plain tar of small files, in memory."""
    parts = [_header(name, len(content)) + content + _padding(len(content)) for name, content in files]
    return b"".join(parts) + END


class Archive:
    """An open archive whose manifest is verified; its members are, as they are read to their end."""

    def __init__(self, stream: BinaryIO, vkey_of: Callable[[str], str]) -> None:
        """`vkey_of` gives the key to trust for the name that signed. Raises BackupDamaged."""
        self._stream = stream
        self.note = read_note(stream)
        self.manifest: Final[Manifest] = manifests.open_manifest(
            self.note, vkey_of(manifests.unverified_signer(self.note))
        )
        self._begins: dict[str, int] = {}
        at = stream.tell()
        for member in self.manifest.members:
            self._begins[member.name] = at
            at += len(_header(member.name, member.size)) + member.size + len(_padding(member.size))
        self._end = at

    def check(self, progress: Progress = lambda _done, _total: None) -> None:
        """Read everything. Raises BackupDamaged with the first bad member."""
        for member in self.manifest.members:
            for _ in self.stored(member.name):
                progress(self._stream.tell(), self._end)
        self._stream.seek(self._end)
        if self._stream.read(len(END) + 1) != END:
            raise BackupDamaged("the end", "it does not end where it should")

    def stored(self, name: str) -> Iterator[bytes]:
        """A member as it is stored. Raises BackupDamaged, at the latest when the last piece has been read."""
        (member,) = (one for one in self.manifest.members if one.name == name)
        self._stream.seek(self._begins[name])
        header = _header(name, member.size)
        if self._stream.read(len(header)) != header:
            raise BackupDamaged(name, "its header was altered")
        digest, left = hashlib.sha256(), member.size
        while left:
            piece = self._stream.read(min(PIECE, left))
            if not piece:
                raise BackupDamaged(name, "the file ends in it")
            digest.update(piece)
            left -= len(piece)
            yield piece
        if digest.hexdigest() != member.sha256 or self._stream.read(-member.size % BLOCK) != _padding(member.size):
            raise BackupDamaged(name, "it was altered")

    def unpacked(self, name: str) -> Iterator[bytes]:
        """A compressed member's content. Raises BackupDamaged, at the latest after its last piece."""
        inflate = zlib.decompressobj(wbits=31)
        try:
            for piece in self.stored(name):
                left = piece
                while left:  # a piece of nothing but zeros unfolds to a thousand times its size
                    yield inflate.decompress(left, PIECE)
                    left = inflate.unconsumed_tail
            yield inflate.flush()
        except zlib.error as error:
            raise BackupDamaged(name, "it cannot be unpacked") from error
        if not inflate.eof or inflate.unused_data:
            raise BackupDamaged(name, "it is not one compressed file")

    def whole(self, name: str) -> bytes:
        """A small member that is stored as it is."""
        return b"".join(self.stored(name))


@contextmanager
def compressing(file: Path) -> Iterator[gzip.GzipFile]:
    """A new file that is compressed as it is written."""
    with file.open("xb") as stream, gzip.GzipFile("", "wb", LEVEL, stream, mtime=0) as packed:
        yield packed


def measured(name: str, file: Path) -> Member:
    """A file as a member, by its size and digest."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return Member(name, file.stat().st_size, digest.hexdigest())


def read_note(stream: BinaryIO) -> bytes:
    """The manifest as it stands first, not verified. Raises BackupDamaged for what does not begin like a backup."""
    block = stream.read(BLOCK)
    try:
        size = tarfile.TarInfo.frombuf(block, "utf-8", "strict").size
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise BackupDamaged(manifests.NAME, "the file does not begin like a backup") from error
    if not 0 < size <= NOTE_LIMIT or _header(manifests.NAME, size) != block:
        raise BackupDamaged(manifests.NAME, "the file does not begin like a backup")
    note, padding = stream.read(size), stream.read(-size % BLOCK)
    if len(note) != size or padding != _padding(size):
        raise BackupDamaged(manifests.NAME, "the file ends in it, or it was altered")
    return note


def _write_member(stream: BinaryIO, name: str, size: int, pieces: Iterable[bytes]) -> None:
    stream.write(_header(name, size))
    stream.writelines(pieces)
    stream.write(_padding(size))


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)
