"""The stored tree as C2SP tlog-tiles: nodes for proofs, tiles, entry bundles, and the whole log as a folder.

Only full tiles are stored, once; every partial one is derived from the entries or from the roots of the tiles below it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Connection, select

from audit import seals, tables
from audit.errors import ExportRefused, LogDamaged, NotInLog, TilePathError
from audit.merkle import HASH_LENGTH, Growth, NodeReader, hash_children

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT

_CACHED_TILES: Final = 64
_ENTRY_LENGTH_LIMIT: Final = 0xFFFF

TileLevel: TypeAlias = int | Literal["entries"]
Progress: TypeAlias = Callable[[int, int], None]
"""(entries done, entries in all)"""


def tile_path(level: TileLevel, number: int, width: int) -> str:
    """Write the path of a tile or entry bundle, as `tile/0/x001/234.p/5` (C2SP tlog-tiles, "Merkle Tree")."""
    if not 1 <= width <= WIDTH or number < 0:
        raise NotInLog(f"there is no tile {number} of width {width}")
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{suffix}"


@dataclass(frozen=True, slots=True)
class TileName:
    """Which tile of hashes, and how many of them."""

    level: int
    number: int
    width: int


def read_tile_path(path: str) -> TileName:
    """Undo `tile_path` for tiles of hashes: what stands behind `tile/`. Raises TilePathError with the first bad part.

    Only the one way to write a path is read; the numbers are bounded, and nothing is looked up.
    """
    level, _, rest = path.partition("/")
    if not re.fullmatch(r"[0-5]", level):
        raise TilePathError("level")
    groups, partial, width = rest.partition(".p/")
    if not re.fullmatch(r"(?:x[0-9]{3}/){0,5}[0-9]{3}", groups) or groups.startswith("x000/"):
        raise TilePathError("number")
    if partial and not (re.fullmatch(r"[1-9][0-9]{0,2}", width) and int(width) < WIDTH):
        raise TilePathError("width")
    return TileName(int(level), int(re.sub(r"[x/]", "", groups)), int(width) if partial else WIDTH)


def tile_width(size: int, level: int, number: int) -> int:
    """Count the hashes that this tile has in a tree of `size`: 256 for a full one, 0 where there is none."""
    if size < 0 or level < 0 or number < 0:
        return 0
    return max(0, min(WIDTH, (size >> HEIGHT * level) - number * WIDTH))


def tile(connection: Connection, size: int, level: int, number: int, width: int) -> bytes:
    """Read the first `width` hashes of a tile. Raises NotInLog beyond a tree of `size`, LogDamaged on a bad row."""
    held = tile_width(size, level, number)
    if not 1 <= width <= held:
        raise NotInLog(f"tile {level}/{number} of width {width} is beyond a log of {size} entries")
    if held < WIDTH:
        return b"".join(_stored_hashes(connection, level, number * WIDTH, number * WIDTH + width))
    query = select(tables.tile.c.hashes).where(tables.tile.c.level == level, tables.tile.c.number == number)
    hashes: bytes | None = connection.execute(query).scalar_one_or_none()
    if hashes is None or len(hashes) != WIDTH * HASH_LENGTH:
        raise LogDamaged(f"the full tile {level}/{number} is missing or misshapen")
    return hashes[: width * HASH_LENGTH]


def entry_bundle(connection: Connection, number: int, width: int) -> bytes:
    """Read the first `width` entries of a bundle, each behind its uint16 length (C2SP tlog-tiles, "Log entries")."""
    if not 1 <= width <= WIDTH or number < 0:
        raise NotInLog(f"there is no entry bundle {number} of width {width}")
    first = number * WIDTH
    idx = tables.entry.c.idx
    query = select(tables.entry.c.body).where(idx >= first, idx < first + width).order_by(idx)
    bodies: list[bytes] = list(connection.execute(query).scalars())
    if len(bodies) != width:
        raise NotInLog(f"entry bundle {number} has only {len(bodies)} of {width} entries")
    if any(len(body) > _ENTRY_LENGTH_LIMIT for body in bodies):
        raise LogDamaged(f"an entry of bundle {number} is longer than a bundle can hold")
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)


def node_reader(connection: Connection, size: int) -> NodeReader:
    """Make the reader with which `merkle.inclusion_path` and `merkle.consistency_path` prove in a tree of `size`.

    Keeps a bounded number of tiles; use one reader for a request's proofs and drop it.
    """

    @lru_cache(maxsize=_CACHED_TILES)
    def held_hashes(level: int, number: int) -> bytes:
        return tile(connection, size, level, number, tile_width(size, level, number))

    def node(level: int, number: int) -> bytes:
        if level < 0 or number < 0 or (number + 1) << level > size:
            raise NotInLog(f"node {level}/{number} is beyond a log of {size} entries")
        tile_level, height = divmod(level, HEIGHT)
        tile_number, offset = divmod(number << height, WIDTH)
        hashes = held_hashes(tile_level, tile_number)
        return _complete_root(hashes[offset * HASH_LENGTH : (offset + (1 << height)) * HASH_LENGTH])

    return node


def completed(connection: Connection, growth: Growth) -> list[dict[str, Any]]:
    """Give the rows for `audit_tile`: the tiles, at every level, that this batch made full.

    To be called in the batch's transaction, before or after its entries are inserted. Reads only the hashes that stood
    before the batch, at most 255 rows for each tile; all others and the roots are taken from the growth.
    """
    return [
        _full_tile(connection, growth, level // HEIGHT - 1, number)
        for level, number in growth.created
        if level and level % HEIGHT == 0
    ]


def _full_tile(connection: Connection, growth: Growth, level: int, number: int) -> dict[str, Any]:
    begin, end = number * WIDTH, (number + 1) * WIDTH
    split = max(begin, growth.start.size >> HEIGHT * level)
    hashes = _stored_hashes(connection, level, begin, split) if begin < split else []
    hashes += [growth.created[HEIGHT * level, position] for position in range(split, end)]
    root = growth.created[HEIGHT * (level + 1), number]
    return {"level": level, "number": number, "hashes": b"".join(hashes), "root": root}


def _stored_hashes(connection: Connection, level: int, begin: int, end: int) -> list[bytes]:
    """Read hashes `begin` to `end` - 1 of a tile level: leaf hashes, or roots of the full tiles below."""
    if level == 0:
        idx = tables.entry.c.idx
        query = select(tables.entry.c.leaf_hash).where(idx >= begin, idx < end).order_by(idx)
    else:
        number = tables.tile.c.number
        below = tables.tile.c.level == level - 1
        query = select(tables.tile.c.root).where(below, number >= begin, number < end).order_by(number)
    hashes = list(connection.execute(query).scalars())
    if len(hashes) != end - begin or any(len(stored) != HASH_LENGTH for stored in hashes):
        raise LogDamaged(f"hashes {begin} to {end - 1} of tile level {level} are not all there")
    return hashes


def _complete_root(packed: bytes) -> bytes:
    """Compute the root over a power of two of concatenated hashes."""
    row = [packed[at : at + HASH_LENGTH] for at in range(0, len(packed), HASH_LENGTH)]
    while len(row) > 1:
        row = [hash_children(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


@dataclass(frozen=True, slots=True)
class Exported:
    """What the exported folder's checkpoint says."""

    size: int
    root: bytes


def export(connection: Connection, folder: Path, vkey: str, progress: Progress | None = None) -> Exported:
    """Write the log as a tlog-tiles folder with `log.vkey` and what others sealed; memory does not grow with the log.

    `witnessed/SIZE` are earlier checkpoints that witnesses cosigned last; `timestamps/SIZE.tsr` is an RFC 3161 response
    over the bytes of `timestamps/SIZE.checkpoint`. The checkpoint comes last, whole, so that a folder cut short never
    verifies. Entries are never changed, so the head is read once and no long transaction is needed. Raises
    ExportRefused unless the folder is new or empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ExportRefused("the folder to export to is not empty")
    with of_its_type():
        return _export(connection, folder, vkey, progress)


@contextmanager
def of_its_type() -> Iterator[None]:
    """A changed byte can make text of a stored number or hash: what fails on it is LogDamaged, not our own mistake."""
    try:
        yield
    except (TypeError, OverflowError) as error:
        raise LogDamaged("a stored value is not of its column's type") from error


def _export(connection: Connection, folder: Path, vkey: str, progress: Progress | None) -> Exported:
    head = connection.execute(select(tables.head)).one_or_none()
    if head is None:
        raise NotInLog("the database holds no log yet")
    size: int = head.size
    folder.mkdir(parents=True, exist_ok=True)
    for level, number, width in pieces(size):
        _write(folder / tile_path(level, number, width), piece(connection, size, level, number, width))
        if progress is not None and level == "entries":
            progress(number * WIDTH + width, size)
    for path, octets in closing_files(connection, vkey, head.origin, size, head.checkpoint):
        _write(folder / f"{path}.part", octets)
        (folder / f"{path}.part").replace(folder / path)
    return Exported(size, head.root)


def pieces(size: int) -> Iterator[tuple[TileLevel, int, int]]:
    """Level, number and width of each entry bundle, then of each tile, of a log of this size."""
    for number in range(-(-size // WIDTH)):
        yield "entries", number, tile_width(size, 0, number)
    level = 0
    while size >> HEIGHT * level:
        number = 0
        while width := tile_width(size, level, number):
            yield level, number, width
            number += 1
        level += 1


def piece(connection: Connection, size: int, level: TileLevel, number: int, width: int) -> bytes:
    """What such a file holds."""
    if level == "entries":
        return entry_bundle(connection, number, width)
    return tile(connection, size, level, number, width)


def closing_files(
    connection: Connection, vkey: str, origin: str, size: int, checkpoint: bytes
) -> Iterator[tuple[str, bytes]]:
    """Path and octets of all else, as of this head: the key, what others sealed, and last the checkpoint."""
    yield "log.vkey", f"{vkey}\n".encode()
    for sealed in seals.cosigned_last(connection, size):
        if note := seals.cosigned(connection, origin, sealed):
            yield f"witnessed/{sealed}", note
    for stamped in seals.time_stamps(connection, origin, size):
        yield f"timestamps/{stamped.size}.checkpoint", stamped.checkpoint
        yield f"timestamps/{stamped.size}.tsr", stamped.response
    cosigned = seals.cosigned(connection, origin, size)
    yield "checkpoint", cosigned if cosigned.startswith(checkpoint) else checkpoint


def _write(path: Path, octets: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
