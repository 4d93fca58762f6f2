"""Tile paths are read in the one way in which they are written; the first bad part is named."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import TilePathError
from audit.tiles import TileName, read_tile_path, tile_path


@given(st.integers(0, 5), st.integers(0, 10**18 - 1), st.integers(1, 256))
def test_what_is_written_is_read(level: int, number: int, width: int) -> None:
    assert read_tile_path(tile_path(level, number, width).removeprefix("tile/")) == TileName(level, number, width)


@given(st.text(alphabet="0123456789x/.p", max_size=24) | st.text(max_size=12))
def test_what_is_read_is_what_is_written(path: str) -> None:
    with suppress(TilePathError):
        name = read_tile_path(path)
        assert tile_path(name.level, name.number, name.width) == f"tile/{path}"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("", "level"),
        ("6/000", "level"),
        ("00/000", "level"),
        ("-1/000", "level"),
        ("٠/000", "level"),
        ("entries/000", "level"),
        ("0", "number"),
        ("0/", "number"),
        ("0/0", "number"),
        ("0/1000", "number"),
        ("0/x000/001", "number"),
        ("0/001/002", "number"),
        ("0/x001/x002", "number"),
        ("0/" + "x999/" * 6 + "999", "number"),
        ("0/" + "x999/" * 10_000 + "999", "number"),
        ("0/000/", "number"),
        ("0/00٠", "number"),
        ("0/000\n", "number"),
        ("0/../000", "number"),
        ("0/000.p", "number"),
        ("0/000.p/", "width"),
        ("0/000.p/0", "width"),
        ("0/000.p/01", "width"),
        ("0/000.p/256", "width"),
        ("0/000.p/1/2", "width"),
        ("0/000.p/5.p/5", "width"),
    ],
)
def test_the_first_bad_part_is_named(path: str, part: str) -> None:
    with pytest.raises(TilePathError) as raised:
        read_tile_path(path)
    assert raised.value.part == part


def test_the_specifications_example() -> None:
    assert read_tile_path("0/x001/x234/067") == TileName(0, 1_234_067, 256)
