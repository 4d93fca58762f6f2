"""What others signed over our checkpoints: kept beside the log, in no entry of it.

A row holds all that its check needs, for the log goes on and its head is another by then: a witness's row is the
checkpoint with that witness's cosignature line; an authority's the length (2 bytes) of the plain checkpoint, the
checkpoint, and the RFC 3161 response over its bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select

from audit import tables
from audit.errors import LogDamaged, NoteRefused
from audit.note import Note, read_note

WITNESS: Final = "witness"
TIMESTAMP: Final = "timestamp"
_LENGTH: Final = 2


@dataclass(frozen=True, slots=True)
class Seal:
    """One row. `time` is the seal's own, in microseconds since 1970."""

    size: int
    kind: str
    name: str
    octets: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint and the response of a time-stamp authority over its bytes."""

    size: int
    checkpoint: bytes
    response: bytes


def keep(connection: Connection, seal: Seal) -> None:
    """Add a seal unless this one's signer already sealed this size: what is there is never touched."""
    row = tables.seal.c
    there = select(row.size).where(row.size == seal.size, row.kind == seal.kind, row.name == seal.name)
    if connection.execute(there).one_or_none() is None:
        connection.execute(
            insert(tables.seal).values(
                size=seal.size, kind=seal.kind, name=seal.name, bytes=seal.octets, time=seal.time
            )
        )


def stamped(checkpoint: bytes, response: bytes) -> bytes:
    """What an authority's row holds."""
    return len(checkpoint).to_bytes(_LENGTH, "big") + checkpoint + response


def newest_time(connection: Connection, kind: str) -> int | None:
    """When the newest seal of this kind was made, in microseconds since 1970; None where there is none."""
    row = tables.seal.c
    found: int | None = connection.execute(select(func.max(row.time)).where(row.kind == kind)).scalar_one()
    return found


def newest_size(connection: Connection, kind: str, name: str | None = None) -> int:
    """The largest size that was sealed, by one signer or by any; 0 where none was."""
    row = tables.seal.c
    query = select(func.max(row.size)).where(row.kind == kind)
    found: int | None = connection.execute(query.where(row.name == name) if name is not None else query).scalar_one()
    return found or 0


def cosigned(connection: Connection, origin: str, size: int) -> bytes:
    """The checkpoint of `size` with the line of every witness that cosigned it; empty where none did."""
    row = tables.seal.c
    query = select(row.bytes).where(row.kind == WITNESS, row.size == size).order_by(row.name)
    rows = (bytes(octets) for octets in connection.execute(query).scalars())
    notes = [_read(note, size) for note in rows if note.startswith(f"{origin}\n".encode())]
    if not notes:
        return b""
    lines = dict.fromkeys(f"{signature.line}\n" for note in notes for signature in note.signatures)
    return f"{notes[0].text}\n{''.join(lines)}".encode()


def cosigned_last(connection: Connection, size: int) -> list[int]:
    """For each witness the largest size, at most `size`, that it cosigned: these sizes, the smallest first."""
    row = tables.seal.c
    query = select(func.max(row.size)).where(row.kind == WITNESS, row.size <= size).group_by(row.name)
    return sorted(set(connection.execute(query).scalars()))


def cosigned_sizes(connection: Connection, limit: int) -> list[int]:
    """The sizes that witnesses cosigned, the largest first, at most `limit`."""
    row = tables.seal.c
    query = select(row.size).where(row.kind == WITNESS).distinct().order_by(row.size.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def newest(connection: Connection, kind: str, size: int, limit: int = 5) -> list[Seal]:
    """The seals of the largest trees up to `size`, the largest first."""
    row = tables.seal.c
    query = (
        select(tables.seal).where(row.kind == kind, row.size <= size).order_by(row.size.desc(), row.name).limit(limit)
    )
    return [Seal(one.size, one.kind, one.name, bytes(one.bytes), one.time) for one in connection.execute(query)]


def time_stamps(connection: Connection, origin: str, size: int) -> Iterator[Stamped]:
    """The first time stamp of each size up to `size` that is of this origin, the smallest size first."""
    row = tables.seal.c
    query = select(row.size, row.bytes).where(row.kind == TIMESTAMP, row.size <= size).order_by(row.size, row.time)
    last = -1
    for found in connection.execute(query):
        one = _taken_apart(found.size, bytes(found.bytes))
        if one.size != last and one.checkpoint.startswith(f"{origin}\n".encode()):
            last = one.size
            yield one


def _read(note: bytes, size: int) -> Note:
    try:
        return read_note(note)
    except NoteRefused as error:
        raise LogDamaged(f"a witness's seal of size {size} is misshapen") from error


def _taken_apart(size: int, octets: bytes) -> Stamped:
    at = _LENGTH + int.from_bytes(octets[:_LENGTH], "big")
    if not _LENGTH < at < len(octets):
        raise LogDamaged(f"a time stamp of size {size} is misshapen")
    return Stamped(size, octets[_LENGTH:at], octets[at:])
