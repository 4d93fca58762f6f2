"""The Merkle tree of RFC 6962 (9162, section 2.1): hashing, growing and proving. Pure.

A *node* (level, number) is the root of the complete subtree over the 2**level leaves from number * 2**level on.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from audit.errors import MerkleError

HASH_LENGTH: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

NodeReader: TypeAlias = Callable[[int, int], bytes]
"""(level, number) -> the hash of that complete subtree."""


def hash_leaf(entry: bytes) -> bytes:
    """Hash a leaf, told apart from a node's by its prefix (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Hash a node (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that must be known of a tree to grow it: its size and the roots of its complete subtrees, largest first."""

    size: int
    roots: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.roots) != self.size.bit_count():
            raise MerkleError(f"a tree of size {self.size} has no frontier of {len(self.roots)} roots")
        if any(len(root) != HASH_LENGTH for root in self.roots):
            raise MerkleError(f"a root is not {HASH_LENGTH} bytes long")

    def root(self) -> bytes:
        """Compute the root of the whole tree."""
        return _join(self.roots)

    def packed(self) -> bytes:
        """Concatenate the roots as they are stored, largest subtree first."""
        return b"".join(self.roots)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> "Frontier":
        """Undo `packed`. Raises MerkleError unless the length is exactly that of a tree of this size."""
        if len(packed) % HASH_LENGTH:
            raise MerkleError(f"a frontier of {len(packed)} bytes is not made of whole hashes")
        return cls(size, tuple(packed[at : at + HASH_LENGTH] for at in range(0, len(packed), HASH_LENGTH)))


EMPTY_FRONTIER: Final = Frontier(0, ())


class Growth:
    """A tree growing by one batch. Owned by one thread while it grows; safe to read from any once it has grown.

    `created` holds every node that the batch completed, leaves included: with the starting frontier it is all that
    the proofs of the batch's own leaves need, so no storage is read for them.
    """

    def __init__(self, start: Frontier) -> None:
        self.start = start
        self.created: dict[tuple[int, int], bytes] = {}
        self._size = start.size
        self._roots = list(start.roots)
        levels = [level for level in reversed(range(start.size.bit_length())) if start.size >> level & 1]
        # The subtree at level b ends where bit b of the size is used up, so it is the one before number size >> b.
        self._inherited = {
            (level, (start.size >> level) - 1): root for level, root in zip(levels, start.roots, strict=True)
        }

    @property
    def size(self) -> int:
        return self._size

    def append(self, leaf_hash: bytes) -> int:
        """Add a leaf; its index."""
        index = number = self._size
        level, node = 0, leaf_hash
        self.created[level, number] = node
        while number & 1:
            node = hash_children(self._roots.pop(), node)
            level, number = level + 1, number >> 1
            self.created[level, number] = node
        self._roots.append(node)
        self._size += 1
        return index

    def frontier(self) -> Frontier:
        """Give what the next batch starts from."""
        return Frontier(self._size, tuple(self._roots))

    def inclusion_path(self, index: int) -> tuple[bytes, ...]:
        """Prove a leaf of this batch in the tree as it now is. Raises MerkleError for an older leaf."""
        if index < self.start.size:
            raise MerkleError(f"leaf {index} is older than this batch; its path needs storage")
        return inclusion_path(index, self._size, self._node)

    def _node(self, level: int, number: int) -> bytes:
        created = self.created.get((level, number))
        return created if created is not None else self._inherited[level, number]


def inclusion_path(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 9162, 2.1.3.1: from the leaf's sibling up to the root's child. O(log size) reads."""
    if not 0 <= index < size:
        raise MerkleError(f"no leaf {index} in a tree of size {size}")
    path, begin, end = [], 0, size
    while end - begin > 1:
        split = begin + _left_width(end - begin)
        if index < split:
            path.append(_range_root(split, end, node))
            end = split
        else:
            path.append(_range_root(begin, split, node))
            begin = split
    return tuple(reversed(path))


def consistency_path(old: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """PROOF(old, D[size]) of RFC 9162, 2.1.4.1. O(log size) reads. There is none from the empty tree."""
    if not 0 < old <= size:
        raise MerkleError(f"no consistency proof from size {old} to size {size}")
    path, begin, end = [], 0, size
    while end != old:
        split = begin + _left_width(end - begin)
        if old <= split:
            path.append(_range_root(split, end, node))
            end = split
        else:
            path.append(_range_root(begin, split, node))
            begin = split
    if begin:  # a subtree that starts at 0 is the old tree itself, whose root the verifier knows
        path.append(_range_root(begin, end, node))
    return tuple(reversed(path))


def root_at(size: int, node: NodeReader) -> bytes:
    """Compute the root that the tree had at an earlier `size`. O(log size) reads."""
    return _range_root(0, size, node)


def _left_width(width: int) -> int:
    """Find where RFC 9162 splits a tree: at the largest power of two smaller than `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_root(begin: int, end: int, node: NodeReader) -> bytes:
    """Compute the root over leaves begin to end - 1, where `begin` is one at which RFC 9162 splits a tree."""
    roots = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        roots.append(node(level, begin >> level))
        begin += 1 << level
    return _join(tuple(roots))


def _join(roots: tuple[bytes, ...]) -> bytes:
    """Compute the root of a tree from its complete subtrees, largest first."""
    if not roots:
        return EMPTY_ROOT
    *larger, joined = roots
    for root in reversed(larger):
        joined = hash_children(root, joined)
    return joined
