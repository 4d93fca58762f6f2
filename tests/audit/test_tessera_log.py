"""Tessera's published test log, rebuilt byte for byte at every size from 0 to 15."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from audit import tables, tiles
from audit.checkpoint import LogSigner
from audit.merkle import EMPTY_FRONTIER, Growth
from audit.verify import open_note
from tests.audit.sample_log import append, opened_log
from tests.vectors_folder import vectors

WORDS = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def test_rebuilding_tesseras_log(tmp_path: Path) -> None:
    folder = vectors("audit", "tlog-tiles", "tessera-log15")
    # Published by Tessera for this log alone.
    seed = base64.b64decode("AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")[1:]
    signer = LogSigner("example.com/log/testdata", Ed25519PrivateKey.from_private_bytes(seed))
    assert signer.vkey == VKEY
    checked = 0
    with opened_log(tmp_path / "log.db", [], signer) as connection:
        growth = Growth(EMPTY_FRONTIER)
        for size in range(16):
            if size:
                growth = Growth(growth.frontier())
                append(connection, growth, [WORDS[size - 1]], signer)
                for path, octets in (
                    (tiles.tile_path(0, 0, size), tiles.tile(connection, size, 0, 0, size)),
                    (tiles.tile_path("entries", 0, size), tiles.entry_bundle(connection, 0, size)),
                ):
                    assert octets == (folder / path).read_bytes()
                    checked += 1
            note = (folder / f"checkpoint.{size}").read_bytes()
            assert connection.execute(select(tables.head.c.checkpoint)).scalar_one() == note
            checkpoint = open_note(note, VKEY)
            assert (checkpoint.size, checkpoint.root) == (size, growth.frontier().root())
            checked += 2
        tiles.export(connection, tmp_path / "export", signer.vkey)
    for name in ("checkpoint", "tile/0/000.p/15", "tile/entries/000.p/15"):
        assert (tmp_path / "export" / name).read_bytes() == (folder / name).read_bytes()
    assert checked == 62
