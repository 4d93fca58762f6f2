"""The log's tail as it is stored: the head's row against the tree it stands on, looked at before building on it.

A head that was changed would be signed over with the next batch, and the log would be broken from there on; so whoever
starts, or goes on after a fault, computes the root anew from the stored hashes. O(log size) reads; the bytes of older
entries are the verifier's to read.
"""

import msgspec
from sqlalchemy import Connection, select

from audit import tables
from audit.batch import Head, format_time, read_head
from audit.checkpoint import LogSigner
from audit.errors import LogDamaged
from audit.merkle import hash_leaf, root_at
from audit.tiles import node_reader


class _Timed(msgspec.Struct):
    time: str


def check_tail(connection: Connection, signer: LogSigner) -> None:
    """Raises LogDamaged where the head is not that of the stored tree, or not signed by this signer under its name."""
    head = read_head(connection)
    size, root = head.frontier.size, head.frontier.root()
    stored = connection.execute(select(tables.head.c.root)).scalar_one()
    if not root == stored == root_at(size, node_reader(connection, size)):
        raise LogDamaged(f"the head's root is not that of the {size} entries stored")
    if (head.origin, head.checkpoint) != (signer.name, signer.sign(size, root)):  # Ed25519 signs alike each time
        raise LogDamaged("the head's checkpoint is not this log's over its size and root")
    _check_last_entry(connection, head)


def _check_last_entry(connection: Connection, head: Head) -> None:
    newest = select(tables.entry).order_by(tables.entry.c.idx.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    if (row.idx + 1 if row is not None else 0) != head.frontier.size:
        raise LogDamaged(f"the head counts {head.frontier.size} entries, and others are stored")
    if row is None:
        return
    if hash_leaf(row.body) != row.leaf_hash:
        raise LogDamaged("the newest entry is not the one whose hash is stored with it")
    if msgspec.json.decode(row.body, type=_Timed).time != format_time(head.last_time):
        raise LogDamaged("the head's last time is not the newest entry's")
