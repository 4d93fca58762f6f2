"""The growing tree and its proofs against a naive reading of RFC 6962, written here on its own."""

import hashlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import AuditError, MerkleError
from audit.merkle import EMPTY_FRONTIER, EMPTY_ROOT, Frontier, Growth, consistency_path, hash_leaf, inclusion_path
from audit.verify import VerificationError, verify_consistency, verify_inclusion


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, to the letter."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def node_of(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    def node(level: int, number: int) -> bytes:
        part = leaves[number << level : (number + 1) << level]
        assert len(part) == 1 << level, "a proof may read complete subtrees only"
        return mth(part)

    return node


def grown(batches: Sequence[int]) -> Growth:
    """Grow from nothing in batches; the last batch's growth."""
    growth = Growth(EMPTY_FRONTIER)
    for batch in batches:
        growth = Growth(Frontier.unpack(growth.size, growth.frontier().packed()))
        for _ in range(batch):
            growth.append(hash_leaf(b"leaf %d" % growth.size))
    return growth


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_growth_in_any_batches_is_the_naive_tree(batches: list[int]) -> None:
    growth = grown(batches)
    leaves = leaves_of(sum(batches))
    root = mth(leaves)
    assert growth.frontier().root() == root
    node = node_of(leaves)
    assert all(created == node(*place) for place, created in growth.created.items())
    for index in range(growth.start.size, len(leaves)):
        path = growth.inclusion_path(index)
        assert path == inclusion_path(index, len(leaves), node)
        verify_inclusion(hash_leaf(leaves[index]), index, path, size=len(leaves), root=root)


def test_every_path_of_every_small_tree_verifies() -> None:
    roots = [mth(leaves_of(size)) for size in range(71)]
    for size in range(1, 71):
        leaves = leaves_of(size)
        node = node_of(leaves)
        for index in range(size):
            path = inclusion_path(index, size, node)
            verify_inclusion(hash_leaf(leaves[index]), index, path, size=size, root=roots[size])
        for old in range(1, size + 1):
            path = consistency_path(old, size, node)
            verify_consistency(path, old_size=old, old_root=roots[old], size=size, root=roots[size])


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 2**40), st.data())
def test_proofs_read_a_logarithm_of_nodes(size: int, data: st.DataObject) -> None:
    reads: list[tuple[int, int]] = []

    def node(level: int, number: int) -> bytes:
        assert (number + 1) << level <= size
        reads.append((level, number))
        return bytes(32)

    inclusion_path(data.draw(st.integers(0, size - 1)), size, node)
    assert len(reads) <= 2 * size.bit_length()
    reads.clear()
    consistency_path(data.draw(st.integers(1, size)), size, node)
    assert len(reads) <= 2 * size.bit_length()


def changed(octets: bytes, at: int) -> bytes:
    return octets[: at % len(octets)] + bytes([octets[at % len(octets)] ^ 1]) + octets[at % len(octets) + 1 :]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.data())
def test_any_single_change_breaks_an_inclusion_proof(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index, at = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 31))
    leaf, root = hash_leaf(leaves[index]), mth(leaves)
    path = list(inclusion_path(index, size, node_of(leaves)))
    forgeries = [
        (changed(leaf, at), index, path, size, root),
        (leaf, index, path, size, changed(root, at)),
        (leaf, index, [*path, bytes(32)], size, root),
        (leaf, index, [bytes(32), *path], size, root),
        *((leaf, other, path, size, root) for other in range(-1, size + 1) if other != index),
    ]
    if path:
        broken = data.draw(st.integers(0, len(path) - 1))
        forgeries += [
            (leaf, index, path[:-1], size, root),
            (leaf, index, path[1:], size, root),
            (leaf, index, [*path[:broken], changed(path[broken], at), *path[broken + 1 :]], size, root),
            (leaf, index, [*path[:broken], path[broken][:-1], *path[broken + 1 :]], size, root),
        ]
    for forged_leaf, forged_index, forged_path, forged_size, forged_root in forgeries:
        with pytest.raises(VerificationError):
            verify_inclusion(forged_leaf, forged_index, forged_path, size=forged_size, root=forged_root)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 90), st.data())
def test_any_single_change_breaks_a_consistency_proof(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    old, at = data.draw(st.integers(1, size - 1)), data.draw(st.integers(0, 31))
    old_root, root = mth(leaves[:old]), mth(leaves)
    path = list(consistency_path(old, size, node_of(leaves)))
    broken = data.draw(st.integers(0, len(path) - 1))
    forgeries = [
        (path, old, changed(old_root, at), root),
        (path, old, old_root, changed(root, at)),
        (path, old, root, root),
        (path[1:], old, old_root, root),
        (path[:-1], old, old_root, root),
        ([*path, bytes(32)], old, old_root, root),
        ([*path[:broken], changed(path[broken], at), *path[broken + 1 :]], old, old_root, root),
        *((path, other, old_root, root) for other in (-1, 0, size, size + 1)),
    ]
    for forged_path, forged_old, forged_old_root, forged_root in forgeries:
        with pytest.raises(VerificationError):
            verify_consistency(forged_path, old_size=forged_old, old_root=forged_old_root, size=size, root=forged_root)


def test_the_empty_tree() -> None:
    assert EMPTY_FRONTIER.root() == EMPTY_ROOT == mth([])
    assert EMPTY_FRONTIER.packed() == b""


@pytest.mark.parametrize(("size", "length"), [(0, 32), (1, 0), (1, 31), (1, 33), (1, 64), (3, 32), (4, 64), (-1, 32)])
def test_a_frontier_of_another_length_is_refused(size: int, length: int) -> None:
    with pytest.raises(MerkleError):
        Frontier.unpack(size, bytes(length))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4)])
def test_there_is_no_path_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(MerkleError):
        inclusion_path(index, size, node_of(leaves_of(8)))


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 4), (-1, 4), (5, 4)])
def test_there_is_no_consistency_path_from_nothing_or_backwards(old: int, size: int) -> None:
    with pytest.raises(AuditError):
        consistency_path(old, size, node_of(leaves_of(8)))


def test_growth_proves_only_its_own_leaves() -> None:
    growth = grown([5, 3])
    with pytest.raises(MerkleError):
        growth.inclusion_path(4)
    with pytest.raises(MerkleError):
        growth.inclusion_path(8)
