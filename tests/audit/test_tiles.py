"""Tiles, bundles, proofs and exports from a real database, at the sizes where tiles fill and partial ones begin."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import delete, event, update

from audit import tables, tiles
from audit.checkpoint import format_proof
from audit.errors import ExportRefused, LogDamaged, NotInLog
from audit.merkle import EMPTY_FRONTIER, Growth, consistency_path, hash_leaf, inclusion_path
from audit.verify import VerificationError, open_note, parse_proof, verify_consistency, verify_export, verify_inclusion
from tests.audit.sample_log import SIGNER, append, exported, opened_log, sample

SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 513, 700]


def roots_of(bodies: Sequence[bytes]) -> list[bytes]:
    growth, roots = Growth(EMPTY_FRONTIER), [EMPTY_FRONTIER.root()]
    for body in bodies:
        growth.append(hash_leaf(body))
        roots.append(growth.frontier().root())
    return roots


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", [1, 200, 256, 1000])
def test_exports_verify_whatever_the_batches(tmp_path: Path, size: int, batch: int) -> None:
    seen: list[tuple[int, int]] = []
    with opened_log(tmp_path / "log.db", sample(size), batch=batch) as connection:
        result = tiles.export(connection, tmp_path / "export", SIGNER.vkey, lambda done, of: seen.append((done, of)))
    report = verify_export(tmp_path / "export", SIGNER.vkey)
    assert (report.checkpoint.size, report.checkpoint.root) == (result.size, result.root)
    assert result.size == size
    assert (tmp_path / "export" / "log.vkey").read_text() == f"{SIGNER.vkey}\n"
    assert seen[-1:] == [(size, size)][: min(size, 1)]


def test_a_log_with_three_levels_of_tiles(tmp_path: Path) -> None:
    size = 65536 + 300
    bodies = sample(size)
    roots = roots_of(bodies)
    with opened_log(tmp_path / "log.db", bodies, batch=256 * 100 + 1) as connection:
        tiles.export(connection, tmp_path / "export", SIGNER.vkey)
        reads: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *call: reads.append(call[2]))
        for index in (0, 255, 256, 65535, 65536, size - 1):
            node = tiles.node_reader(connection, size)
            path = inclusion_path(index, size, node)
            verify_inclusion(hash_leaf(bodies[index]), index, path, size=size, root=roots[size])
        for old in (1, 256, 65535, 65536, 65537, size):
            path = consistency_path(old, size, tiles.node_reader(connection, size))
            verify_consistency(path, old_size=old, old_root=roots[old], size=size, root=roots[size])
        assert len(reads) < 12 * 8, "a proof reads a tile or two for each level"
        assert tiles.tile_width(size, 2, 0) == 1
        assert len(tiles.tile(connection, size, 1, 0, 256)) == 8192
    assert (tmp_path / "export/tile/2/000.p/1").is_file()
    assert (tmp_path / "export/tile/entries/257.p/44").is_file()
    assert verify_export(tmp_path / "export", SIGNER.vkey).checkpoint.size == size
    full = tmp_path / "export/tile/1/000"
    full.write_bytes(full.read_bytes()[:-1] + b"?")
    with pytest.raises(VerificationError, match="tile/1/000 does not hold the root of entries 65280 to 65535"):
        verify_export(tmp_path / "export", SIGNER.vkey)


def test_every_proof_from_storage_verifies_also_for_older_sizes(tmp_path: Path) -> None:
    bodies = sample(530)
    roots = roots_of(bodies)
    with opened_log(tmp_path / "log.db", bodies) as connection:
        for size in (1, 255, 256, 257, 512, 530):
            node = tiles.node_reader(connection, size)
            for index in range(0, size, 7):
                path = inclusion_path(index, size, node)
                verify_inclusion(hash_leaf(bodies[index]), index, path, size=size, root=roots[size])
            for old in range(1, size + 1, 7):
                path = consistency_path(old, size, node)
                verify_consistency(path, old_size=old, old_root=roots[old], size=size, root=roots[size])


def test_the_proof_handed_out_in_a_batch_is_the_one_from_storage(tmp_path: Path) -> None:
    bodies = sample(300)
    with opened_log(tmp_path / "log.db", bodies[:250]) as connection:
        growth = Growth(EMPTY_FRONTIER)
        for body in bodies[:250]:
            growth.append(hash_leaf(body))
        growth = Growth(growth.frontier())
        append(connection, growth, bodies[250:], SIGNER)
        note = SIGNER.sign(growth.size, growth.frontier().root())
        checkpoint = open_note(note, SIGNER.vkey)
        for index in range(250, 300):
            path = growth.inclusion_path(index)
            assert path == inclusion_path(index, 300, tiles.node_reader(connection, 300))
            proof = parse_proof(format_proof(index, path, note))
            leaf = hash_leaf(bodies[index])
            verify_inclusion(leaf, proof.index, proof.path, size=checkpoint.size, root=checkpoint.root)


@pytest.mark.parametrize(
    ("level", "number", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 5, "tile/0/000.p/5"),
        (1, 999, 256, "tile/1/999"),
        (1, 1000, 1, "tile/1/x001/000.p/1"),
        ("entries", 1234067, 256, "tile/entries/x001/x234/067"),
    ],
)
def test_tile_paths(level: tiles.TileLevel, number: int, width: int, path: str) -> None:
    assert tiles.tile_path(level, number, width) == path


def test_the_widths_of_the_specification() -> None:
    assert [tiles.tile_width(70_000, 0, number) for number in (272, 273, 274)] == [256, 112, 0]
    assert [tiles.tile_width(70_000, 1, number) for number in (0, 1)] == [256, 17]
    assert [tiles.tile_width(70_000, 2, number) for number in (0, 1)] == [1, 0]
    assert [tiles.tile_width(256, level, 0) for level in (0, 1)] == [256, 1]


@pytest.mark.parametrize("width", [0, -1, 257])
def test_there_is_no_path_for_an_impossible_width(width: int) -> None:
    with pytest.raises(NotInLog):
        tiles.tile_path(0, 0, width)


@pytest.mark.parametrize(
    ("level", "number", "width"), [(0, 1, 45), (0, 2, 1), (0, -1, 1), (-1, 0, 1), (1, 0, 2), (2, 0, 1), (0, 0, 0)]
)
def test_what_is_beyond_the_log_is_not_served(tmp_path: Path, level: int, number: int, width: int) -> None:
    with opened_log(tmp_path / "log.db", sample(300)) as connection, pytest.raises(NotInLog):
        tiles.tile(connection, 300, level, number, width)


def test_bundles_and_nodes_beyond_the_log_are_not_served(tmp_path: Path) -> None:
    with opened_log(tmp_path / "log.db", sample(300)) as connection:
        for number, width in ((1, 45), (2, 1), (0, 257), (-1, 1)):
            with pytest.raises(NotInLog):
                tiles.entry_bundle(connection, number, width)
        node = tiles.node_reader(connection, 300)
        for level, number in ((0, 300), (8, 1), (9, 0), (0, -1), (-1, 0)):
            with pytest.raises(NotInLog):
                node(level, number)


def test_a_missing_row_is_damage_and_not_a_smaller_tile(tmp_path: Path) -> None:
    with opened_log(tmp_path / "log.db", sample(300)) as connection:
        connection.execute(delete(tables.entry).where(tables.entry.c.idx == 299))
        with pytest.raises(LogDamaged):
            tiles.tile(connection, 300, 0, 1, 44)
        connection.execute(update(tables.tile).values(hashes=b"short"))
        with pytest.raises(LogDamaged):
            tiles.tile(connection, 300, 0, 0, 256)
        connection.execute(delete(tables.tile))
        with pytest.raises(LogDamaged):
            tiles.tile(connection, 300, 1, 0, 1)


def test_an_export_does_not_write_over_another(tmp_path: Path) -> None:
    folder = exported(tmp_path / "export", sample(3))
    with opened_log(tmp_path / "log.db", sample(4)) as connection, pytest.raises(ExportRefused):
        tiles.export(connection, folder, SIGNER.vkey)


def test_completing_a_tile_reads_only_the_rows_that_stood_before_the_batch(tmp_path: Path) -> None:
    bodies = sample(512)
    growth = Growth(EMPTY_FRONTIER)
    for body in bodies[:500]:
        growth.append(hash_leaf(body))
    growth = Growth(growth.frontier())
    for body in bodies[500:]:
        growth.append(hash_leaf(body))
    selected: list[str] = []
    with opened_log(tmp_path / "log.db", bodies[:500]) as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: selected.append(str(call[3])))
        (row,) = tiles.completed(connection, growth)
    assert (row["level"], row["number"], len(row["hashes"])) == (0, 1, 256 * 32)
    assert selected == ["(256, 500)"]


def test_a_body_that_became_text_is_damage(tmp_path: Path) -> None:
    """One changed byte in a row's header makes SQLite hand out text where bytes were written."""
    with opened_log(tmp_path / "log.db", sample(5), batch=5) as connection:
        connection.exec_driver_sql("UPDATE audit_entry SET body = CAST(body AS TEXT) WHERE idx = 2")
        with pytest.raises(LogDamaged, match="type"):
            tiles.export(connection, tmp_path / "export", SIGNER.vkey)
