"""The anchor file: never lowered, whole through torn writes, and an alarm where the log does not extend it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import batch
from audit.anchor import SLOT, Anchored, AnchorFile
from audit.checkpoint import LogSigner
from audit.errors import LedgerUnavailable, LogDamaged, LogForked
from audit.events import RequesterSuspended
from audit.ledger import Ledger, Safeguards
from broker import schema
from broker.sqlite import SqliteDatabase

SIGNER = LogSigner("anchor.example/log", Ed25519PrivateKey.generate())


def anchored(size: int) -> Anchored:
    return Anchored(size, size.to_bytes(32))


def test_nothing_written_is_no_anchor(tmp_path: Path) -> None:
    assert AnchorFile(tmp_path / "anchor").read() is None


def test_it_is_raised_and_never_lowered(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "anchor")
    for size in (1, 2, 5, 3, 4, 5, 6):
        file.write(anchored(size))
        assert file.read() == anchored(6 if size == 6 else max(size, (file.read() or anchored(0)).size))
    assert file.read() == anchored(6)


@pytest.mark.parametrize("torn", range(SLOT))
def test_a_torn_write_leaves_the_one_before(tmp_path: Path, torn: int) -> None:
    file = AnchorFile(tmp_path / "anchor")
    file.write(anchored(7))
    before = file.file.read_bytes()
    file.write(anchored(8))
    after = file.file.read_bytes().ljust(2 * SLOT, b"\0")
    half = bytearray(before.ljust(2 * SLOT, b"\0"))
    changed = [at for at in range(2 * SLOT) if after[at] != half[at]]
    for at in changed[:torn]:
        half[at] = after[at]
    file.file.write_bytes(bytes(half))
    assert file.read() in (anchored(7), anchored(8))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\0" * 2 * SLOT])
def test_an_unreadable_anchor_is_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    file = AnchorFile(tmp_path / "anchor")
    file.file.write_bytes(content)
    with pytest.raises(LogDamaged):
        file.read()


def grown(folder: Path, entries: int, who: str = "x") -> SqliteDatabase:
    """A database whose log has this many entries more."""
    fresh = not (folder / "log.db").exists()
    database = SqliteDatabase(folder / "log.db")
    if fresh:
        with database.turn() as connection:
            schema.upgrade(connection)
            batch.found(connection, SIGNER)
    ledger = Ledger(database.turn, SIGNER, lambda: 1, safeguards=Safeguards(AnchorFile(folder.parent / "anchor")))
    for _ in range(entries):
        ledger.record(lambda transaction: transaction.append(RequesterSuspended(requester=who))).result()
    ledger.close()
    return database


def folders(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "live").mkdir()
    return tmp_path / "live", tmp_path / "backup"


def copy(source: Path, target: Path) -> None:
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())


def test_a_log_that_extends_its_anchor_starts(tmp_path: Path) -> None:
    live, _ = folders(tmp_path)
    grown(live, 3).close()
    grown(live, 2).close()
    assert (AnchorFile(tmp_path / "anchor").read() or anchored(0)).size == 5


def test_a_restored_backup_refuses_to_start(tmp_path: Path) -> None:
    live, backup = folders(tmp_path)
    grown(live, 3).close()
    copy(live, backup)
    grown(live, 2).close()
    with pytest.raises(LogForked, match="5"):
        grown(backup, 0)


def test_another_history_of_the_same_length_refuses_to_start(tmp_path: Path) -> None:
    live, backup = folders(tmp_path)
    grown(live, 3).close()
    copy(live, backup)
    grown(live, 2).close()
    (tmp_path / "anchor").rename(tmp_path / "kept")
    grown(backup, 4, "y").close()
    (tmp_path / "kept").rename(tmp_path / "anchor")
    grown(live, 0).close()
    with pytest.raises(LogForked, match="another root"):
        grown(backup, 0)


def test_the_anchor_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    """The callers are refused, the state stands, and when the fault is gone a repeat finds it."""
    live, _ = folders(tmp_path)
    database = grown(live, 1)
    place = tmp_path / "anchor"
    fails: list[Callable[[], None]] = []

    class Failing(AnchorFile):
        def write(self, anchored: Anchored) -> None:
            for fail in fails:
                fail()
            super().write(anchored)

    def full() -> None:
        raise OSError(28, "No space left on device")

    ledger = Ledger(database.turn, SIGNER, lambda: 1, safeguards=Safeguards(Failing(place), reopen=database.reopen))
    fails.append(full)
    with pytest.raises(LedgerUnavailable, match="No space left"):
        ledger.record(lambda transaction: transaction.append(RequesterSuspended(requester="x"))).result()
    fails.clear()
    while ledger.trouble:
        pass
    assert ledger.record(lambda transaction: transaction.next_index).result().value == 2
    ledger.close()
    database.close()
