"""Rehearsing a restore: whoever has never restored a backup does not have one.

1 find      the newest here; one that cannot be read is not passed over
2 trust     the pinned key's signature, and every byte
3 restore   into a scratch place that is gone afterwards: a file, or a schema that is rolled back
4 verify    the log that came out, by audit/verify.py, which shares no code with the broker
5 compare   it is the beginning of the running log
6 record    that it passed, or that it did not
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from audit import verify
from audit.backup_events import BackupDrilled
from audit.batch import Transaction
from audit.errors import LogDamaged, NotInLog
from audit.proofs import consistency
from audit.tiles import export
from broker import schema
from broker.backup_record import DONE, DRILLED, FAILED, Act, forget, note, read_acts
from broker.backups import postgresql_copy, sqlite_copy
from broker.backups.archive import Archive, Progress, read_note
from broker.backups.errors import BackupDamaged, BackupMissing, BackupRefused
from broker.backups.making import SUFFIX, Running
from broker.backups.manifest import Manifest, seconds_of, unverified_time
from broker.backups.staging import staging
from broker.backups.trust import vkey_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    place: Path
    """A backup, or a folder of them."""
    pinned: str
    """The verifier key to trust; empty for that of the broker's own log.key."""
    scratch: Path
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """A drill that passed."""

    file: Path
    manifest: Manifest
    vkey: str
    age: int
    """Seconds since it was made."""
    entries_since: int
    """Entries of the running log that it does not hold: what would be lost."""
    seconds: float
    newer: str
    """A later backup that was made and is not here; empty where there is none."""


def drill(running: Running, wish: Wish) -> Drilled:
    """Raises BackupMissing, BackupRefused; BackupDamaged, once it is recorded, for what is wrong with the backup."""
    began = time.monotonic()
    manifest: Manifest | None = None
    try:
        file = newest(wish.place)  # 1
        with file.open("rb") as stream:
            archive = Archive(stream, lambda name: vkey_for(name, wish.pinned, running.settings))  # 2
            manifest = archive.manifest
            archive.check(wish.progress)
            vkey = vkey_for(manifest.origin, wish.pinned, running.settings)
            with staging(wish.scratch) as folder:
                restored = _verified(archive, running, folder, vkey)  # 3, 4
        living = _compare(running, restored, vkey)  # 5
    except (BackupDamaged, LogDamaged, NotInLog, verify.VerificationError) as error:
        _record(running, manifest, passed=False)  # 6
        raise BackupDamaged(wish.place.name, str(error)) from error
    _record(running, manifest, passed=True)  # 6
    made_at = seconds_of(manifest)
    with running.storage.reader.begin() as connection:
        made = read_acts(connection).made
    return Drilled(
        file=file,
        manifest=manifest,
        vkey=vkey,
        age=max(0, running.clock() // 1_000_000 - made_at),
        entries_since=living - manifest.size,
        seconds=time.monotonic() - began,
        newer=made.backup if made is not None and made.at > made_at and made.backup != manifest.backup else "",
    )


def newest(place: Path) -> Path:
    """The backup that says it was made last. Raises BackupMissing, BackupDamaged for one that says nothing."""
    if not place.is_dir():
        return place
    found = {file: _unverified_time(file) for file in place.glob(f"*{SUFFIX}")}
    if not found:
        raise BackupMissing(f"{place}: there is no backup (*{SUFFIX}) here")
    return max(found, key=lambda file: found[file])


def _unverified_time(file: Path) -> str:
    with file.open("rb") as stream:
        return unverified_time(read_note(stream))


def _verified(archive: Archive, running: Running, folder: Path, vkey: str) -> verify.Checkpoint:
    """Restore in scratch, and verify the log that comes out."""
    with _scratch(archive, running, folder) as connection:
        export(connection, folder / "log", vkey)
    report = verify.verify_export(folder / "log", vkey)
    manifest, found = archive.manifest, report.checkpoint
    if (found.size, found.root.hex()) != (manifest.size, manifest.root):
        raise BackupDamaged("database", "its log is not the one that the manifest names")
    return found


@contextmanager
def _scratch(archive: Archive, running: Running, folder: Path) -> Iterator[Connection]:
    if archive.manifest.revision not in schema.revisions():
        raise BackupRefused(f"the backup is at revision {archive.manifest.revision}, newer than this program")
    if archive.manifest.store == "sqlite":
        copy = sqlite_copy.unpack(archive, folder)
        sqlite_copy.check_pages(copy)
        with sqlite_copy.opened(copy) as database, database.long_turn() as connection:
            schema.upgrade(connection)
            yield connection
        return
    if running.sqlite:
        raise BackupRefused("the backup is of postgresql: rehearse it with a configuration that names a server")
    with postgresql_copy.rehearsal(running.database) as connection:
        postgresql_copy.copy_in(connection, archive)
        yield connection


def _compare(running: Running, restored: verify.Checkpoint, vkey: str) -> int:
    """Prove that the restored log is the beginning of the running one; the running one's size."""
    with running.storage.reader.begin() as connection:
        proof = consistency(connection, restored.size)
    own = running.storage.ledger.signer
    pinned = vkey if own.name == verify.parse_vkey(vkey)[0] else own.vkey  # after a fork the log has another name
    living = verify.open_note(proof.checkpoint, pinned)
    verify.verify_consistency(
        proof.path, old_size=restored.size, old_root=restored.root, size=living.size, root=living.root
    )
    return living.size


def _record(running: Running, manifest: Manifest | None, *, passed: bool) -> None:
    backup, size = (manifest.backup, manifest.size) if manifest is not None else ("", 0)
    drilled = BackupDrilled(backup=backup, size=size, outcome="passed" if passed else "failed")
    act = Act(backup, running.clock() // 1_000_000, DONE)

    def work(transaction: Transaction) -> None:
        note(transaction.connection, DRILLED if passed else FAILED, act)
        if passed:
            forget(transaction.connection, FAILED)
        transaction.append(drilled)

    running.storage.ledger.record(work).result()
