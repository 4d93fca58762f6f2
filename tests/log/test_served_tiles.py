"""The served tiles are the log: they hash to the checkpoint's root, they never change, and they hold hashes only."""

import hashlib

from audit.tiles import WIDTH, tile_path, tile_width
from audit.verify import Checkpoint, open_note
from tests.log.growing import fetch, grow, refusal
from tests.world import World

HASH = 32


async def newest(world: World) -> Checkpoint:
    response = await fetch(world, "/log/checkpoint")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    return open_note(response.body, world.vkey)


async def tile(world: World, level: int, number: int, width: int) -> bytes:
    response = await fetch(world, f"/log/{tile_path(level, number, width)}")
    assert (response.status, response.headers["Content-Type"]) == (200, "application/octet-stream")
    return response.body


async def tiles(world: World, size: int) -> dict[tuple[int, int, int], bytes]:
    """Every tile of a tree of this size, by level, number and width."""
    names = [
        (level, number, tile_width(size, level, number)) for level in range(6) for number in range(-(-size // WIDTH))
    ]
    return {name: await tile(world, *name) for name in names if name[2]}


def root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, as it is written there."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(hashes[:split]) + root(hashes[split:])).digest()


def leaves(found: dict[tuple[int, int, int], bytes], level: int) -> list[bytes]:
    row = b"".join(octets for name, octets in sorted(found.items()) if name[0] == level)
    return [row[at : at + HASH] for at in range(0, len(row), HASH)]


async def test_the_tiles_hash_to_the_checkpoints_root(world: World) -> None:
    await grow(world, 700)
    checkpoint = await newest(world)
    found = await tiles(world, checkpoint.size)
    bottom = leaves(found, 0)
    assert (len(bottom), root(bottom)) == (checkpoint.size, checkpoint.root)
    full = [bottom[at : at + WIDTH] for at in range(0, checkpoint.size - WIDTH + 1, WIDTH)]
    assert leaves(found, 1) == [root(hashes) for hashes in full]
    assert not leaves(found, 2)


async def test_what_was_served_never_changes(world: World) -> None:
    size = await grow(world, 300)
    before = await tiles(world, size)
    await grow(world, 400)
    for (level, number, width), octets in before.items():
        assert await tile(world, level, number, width) == octets
        whole = await tile(world, level, number, tile_width(size + 400, level, number))
        assert whole.startswith(octets)


async def test_anybody_may_read_and_keep_them(world: World) -> None:
    size = await grow(world, 300)
    full = await fetch(world, "/log/tile/0/000")
    assert full.headers.getall("Cache-Control") == ["public, max-age=31536000, immutable"]
    partial = await fetch(world, f"/log/{tile_path(0, 1, size - WIDTH)}")
    assert partial.headers.getall("Cache-Control") == ["public, max-age=3600, immutable"]
    checkpoint = await fetch(world, "/log/checkpoint")
    assert checkpoint.headers.getall("Cache-Control") == ["no-cache"]
    proof = await fetch(world, "/v1/log/proof?index=0")
    absent = await fetch(world, "/log/tile/5/000")
    for response in (full, partial, checkpoint, proof, absent):
        assert response.headers.getall("Access-Control-Allow-Origin") == ["*"]
        assert "Set-Cookie" not in response.headers
    for address in ("/v1/catalogue", "/v1/me/accesses", "/verify", "/healthz"):
        assert "Access-Control-Allow-Origin" not in (await fetch(world, address)).headers


REFUSED = [
    ("0/000", (404, "not_found", "number")),  # a log of a few entries has no full tile
    ("0/000.p/255", (404, "not_found", "number")),
    ("1/000.p/1", (404, "not_found", "number")),
    ("5/x999/x999/x999/x999/x999/999", (404, "not_found", "number")),
    ("entries/000", (404, "not_found", "level")),
    ("entries/000.p/1", (404, "not_found", "level")),
    ("6/000", (422, "invalid_request", "level")),
    ("x/000", (422, "invalid_request", "level")),
    ("0/1", (422, "invalid_request", "number")),
    ("0/x000/000", (422, "invalid_request", "number")),
    ("0/000/..", (422, "invalid_request", "number")),
    ("0/" + "x999/" * 900 + "999", (422, "invalid_request", "number")),
    ("0/000.p/256", (422, "invalid_request", "width")),
    ("0/000.p/0", (422, "invalid_request", "width")),
]


async def test_a_bad_path_names_its_first_bad_part(world: World) -> None:
    for path, refused in REFUSED:
        assert await refusal(world, f"/log/tile/{path}") == refused, path
