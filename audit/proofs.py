"""Proofs from the stored log, as of its head: of entries, of an index in a tree, and that an older tree continues."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from audit import tables
from audit.batch import Head, Receipt, read_head
from audit.checkpoint import format_proof
from audit.errors import LogDamaged, NotInLog
from audit.merkle import consistency_path, inclusion_path
from audit.tiles import node_reader


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a leaf stands at `index` of the tree of `size`. An older tree has no checkpoint kept: the asker has it."""

    index: int
    size: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    checkpoint: bytes | None


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of `old` entries is the beginning of the one that the checkpoint signs."""

    old: int
    size: int
    path: tuple[bytes, ...]
    checkpoint: bytes


def receipts(connection: Connection, indexes: Iterable[int]) -> dict[int, Receipt]:
    """Prove entries, all as of one head, by index. Raises NotInLog for the first index beyond it."""
    head = read_head(connection)
    size = head.frontier.size
    wanted = list(indexes)
    for index in wanted:
        _check(index, size)
    entry = tables.entry
    rows = connection.execute(select(entry.c.idx, entry.c.body).where(entry.c.idx.in_(wanted)))
    bodies: dict[int, bytes] = {row.idx: row.body for row in rows}
    if len(bodies) != len(set(wanted)):
        raise LogDamaged("an entry of the log is missing")
    node = node_reader(connection, size)
    return {
        index: Receipt(bodies[index], format_proof(index, inclusion_path(index, size, node), head.checkpoint))
        for index in wanted
    }


def inclusion(connection: Connection, index: int, size: int | None = None) -> Inclusion:
    """Prove an index in the tree of `size`, by default the head's. Raises NotInLog without such a leaf or tree."""
    head = read_head(connection)
    newest = head.frontier.size
    within = newest if size is None else size
    _check_size(within, head)
    _check(index, within)
    node = node_reader(connection, newest)
    checkpoint = head.checkpoint if within == newest else None
    return Inclusion(index, within, node(0, index), inclusion_path(index, within, node), checkpoint)


def consistency(connection: Connection, old: int) -> Consistency:
    """Prove that the tree of `old` entries, at least one, continues. Raises NotInLog beyond the head's size."""
    head = read_head(connection)
    size = head.frontier.size
    _check_size(old, head)
    return Consistency(old, size, consistency_path(old, size, node_reader(connection, size)), head.checkpoint)


def _check(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise NotInLog(f"the log has {size} entries; there is no entry {index}")


def _check_size(size: int, head: Head) -> None:
    if not 0 < size <= head.frontier.size:
        raise NotInLog(f"the log has {head.frontier.size} entries; it never had {size}")
