"""Thousands of single changes to a copy, made by chance: whoever verifies the export or starts on the database sees it.

Changed are the files of an export, the rows of the ledger's own tables (its search index is a projection and never
evidence), and single bytes of the database file; of those, many hit nothing of the log: then the export is what it was.
Seals are left to tests/witness: the verifier believes none that it is not asked for.
"""

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy.exc import SQLAlchemyError

from audit.anchor import AnchorFile
from audit.errors import AuditError
from audit.ledger import Ledger, Safeguards
from audit.verify import VerificationError, verify_export
from broker.sqlite import SqliteDatabase
from policies.strict_yaml import ConfigurationError
from tests.audit import sample_log
from tests.crash.sizes import seeded, size
from tests.faults.ledger_file import FILE, SIGNER, opened, verify_log, wall_clock

ENTRIES = 300
"""One full bundle and tile, and a partial one of each."""
EXPORT_CHANGES, ROW_CHANGES, BYTE_CHANGES = size(250, 6000), size(100, 2500), size(60, 1500)

Change: TypeAlias = Callable[[random.Random, bytes], bytes]


def bit_flipped(chance: random.Random, octets: bytes) -> bytes:
    at = chance.randrange(len(octets))
    return octets[:at] + bytes([octets[at] ^ 1 << chance.randrange(8)]) + octets[at + 1 :]


def byte_replaced(chance: random.Random, octets: bytes) -> bytes:
    at = chance.randrange(len(octets))
    return octets[:at] + bytes([octets[at] ^ chance.randrange(1, 256)]) + octets[at + 1 :]


def byte_deleted(chance: random.Random, octets: bytes) -> bytes:
    at = chance.randrange(len(octets))
    return octets[:at] + octets[at + 1 :]


def byte_inserted(chance: random.Random, octets: bytes) -> bytes:
    at = chance.randrange(len(octets) + 1)
    return octets[:at] + chance.randbytes(1) + octets[at:]


def truncated(chance: random.Random, octets: bytes) -> bytes:
    return octets[: chance.randrange(len(octets))]


def piece_repeated(chance: random.Random, octets: bytes) -> bytes:
    begin, end = sorted(chance.choices(range(len(octets) + 1), k=2))
    return octets[:end] + octets[begin:end] + octets[end:] if begin < end else octets + b"\0"


CHANGES: tuple[Change, ...] = (
    bit_flipped,
    byte_replaced,
    byte_deleted,
    byte_inserted,
    truncated,
    piece_repeated,
)


def test_every_change_to_an_export_is_found(tmp_path: Path) -> None:
    chance = seeded()
    folder = sample_log.exported(tmp_path / "export", sample_log.sample(ENTRIES))
    vkey = sample_log.SIGNER.vkey
    whole = verify_export(folder, vkey)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 7, "an export holds other files now: look whether each is verified"
    missed: Counter[str] = Counter()
    for _ in range(EXPORT_CHANGES):
        file, change = chance.choice(files), chance.choice(CHANGES)
        octets = file.read_bytes()
        file.write_bytes(change(chance, octets))
        try:
            verify_export(folder, vkey)
            missed[f"{change.__name__} in {file.relative_to(folder)}"] += 1
        except VerificationError:
            pass
        file.write_bytes(octets)
    assert not missed
    assert verify_export(folder, vkey) == whole


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger's folder with a database and its anchor, both at rest."""
    folder = tmp_path_factory.mktemp("original")
    with opened(folder, anchor=AnchorFile(folder / "anchor")) as log:
        for number in range(ENTRIES // 3):
            log.record(f"n{number}", 3)
    return folder


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Callable[[], Path]:
    """Copies, one at a time."""
    folder = tmp_path / "copy"

    def copied() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(original, folder)
        return folder

    return copied


def found_or_exported(folder: Path) -> dict[str, bytes] | None:
    """Start on the database, export it and verify: None where any of that fails, else what was exported."""
    out = folder / "export"
    try:
        database = SqliteDatabase(folder / FILE)
        try:
            safeguards = Safeguards(AnchorFile(folder / "anchor"), reopen=database.reopen)
            Ledger(database.turn, SIGNER, wall_clock, safeguards=safeguards).close()
            verify_log(database, out)
        finally:
            database.close()
    except (AuditError, VerificationError, SQLAlchemyError, ConfigurationError, sqlite3.Error, ValueError):
        return None
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


Row: TypeAlias = tuple[str, str, tuple[Any, ...]]
"""(table, where, values of the where)"""


def one_row(chance: random.Random, connection: sqlite3.Connection) -> Row:
    table = chance.choice(["audit_entry"] * 6 + ["audit_head"] * 3 + ["audit_tile"])
    rows = connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid").fetchall()
    return table, "rowid = ?", chance.choice(rows)


def edited(chance: random.Random, connection: sqlite3.Connection) -> str:
    table, where, key = one_row(chance, connection)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    column = chance.choice([name for name in columns if name != "id"])
    (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}", key).fetchone()
    if isinstance(value, int):
        other: Any = value + chance.choice([-100, -2, -1, 1, 2, 100])
    elif isinstance(value, str):
        other = value + "x"
    else:
        other = chance.choice(CHANGES)(chance, value)
    connection.execute(f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {where}", (other, *key))
    return f"{table}.{column}"


def deleted(chance: random.Random, connection: sqlite3.Connection) -> str:
    table, where, key = one_row(chance, connection)
    connection.execute(f"DELETE FROM {table} WHERE {where}", key)
    return f"{table} deleted"


def added(chance: random.Random, connection: sqlite3.Connection) -> str:
    index = ENTRIES + chance.choice([0, 0, 1, 7])
    copied = "INSERT INTO audit_entry SELECT ?, leaf_hash, body FROM audit_entry WHERE idx = ?"
    connection.execute(copied, (index, chance.randrange(ENTRIES)))
    return "audit_entry added"


def swapped(chance: random.Random, connection: sqlite3.Connection) -> str:
    one, other = chance.sample(range(ENTRIES), 2)
    for old, new in ((one, -1), (other, one), (-1, other)):
        connection.execute("UPDATE audit_entry SET idx = ? WHERE idx = ?", (new, old))
    return "audit_entry swapped"


COPIES_OF_EVIDENCE = {"audit_entry.leaf_hash", "audit_tile.root"}
"""Below a full tile nobody reads these any more: there a change may be found, or changes nothing that is ever shown."""


def test_every_changed_row_is_found_by_whoever_starts_or_verifies(copy: Callable[[], Path]) -> None:
    chance = seeded()
    untouched = found_or_exported(copy())
    assert untouched is not None
    missed: Counter[str] = Counter()
    for _ in range(ROW_CHANGES):
        folder = copy()
        with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
            for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {trigger}")
            change = chance.choices((edited, deleted, added, swapped), (6, 2, 1, 2))[0](chance, connection)
        shown = found_or_exported(folder)
        if shown is not None and not (change in COPIES_OF_EVIDENCE and shown == untouched):
            missed[change] += 1
    assert not missed


def page_of_an_entry(chance: random.Random, folder: Path, octets: bytes) -> tuple[int, int]:
    """Where the page begins and ends that holds an entry: most pages of the file are not the log's."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        (size_of_page,) = connection.execute("PRAGMA page_size").fetchone()
        index = chance.randrange(ENTRIES)
        (body,) = connection.execute("SELECT body FROM audit_entry WHERE idx = ?", (index,)).fetchone()
    begin = octets.index(body) // size_of_page * size_of_page
    return begin, begin + size_of_page


def test_every_changed_byte_of_the_database_is_found_or_changes_nothing(copy: Callable[[], Path]) -> None:
    chance = seeded()
    untouched = found_or_exported(copy())
    found = 0
    for _ in range(BYTE_CHANGES):
        folder = copy()
        file = folder / FILE
        octets = file.read_bytes()
        begin, end = chance.choice([(0, len(octets)), page_of_an_entry(chance, folder, octets)])
        changed = chance.choice((bit_flipped, byte_replaced))(chance, octets[begin:end])
        file.write_bytes(octets[:begin] + changed + octets[end:])
        shown = found_or_exported(folder)
        assert shown in (None, untouched), "another log, and nobody noticed"
        found += shown is None
    assert found > BYTE_CHANGES // 8, "hardly any change hit the log: the test proves nothing"
