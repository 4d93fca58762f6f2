"""Taking a backup while the broker runs.

1 begin    an entry of the log; a broker that cannot write one is in trouble, and its copy would be of no use
2 copy     the database as of one moment after that, held against the log's own checks
3 collect  configuration, checkpoint and, where a recipient is given, the secrets, sealed
4 sign     the manifest, over the SHA-256 of every member                      broker/backups/manifest.py
5 write    one file, synced, read back from its beginning to its end
6 name     only now; then it is put down that there is a backup
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import Connection, select

from audit.backup_events import BackupBegun
from audit.batch import Head, Transaction, read_head, touch_head
from audit.tail import check_tail
from broker import schema, tables
from broker.backup_record import DONE, MADE, Act, note
from broker.backups import archive, manifest, postgresql_copy, sealed_secrets, sqlite_copy
from broker.backups.archive import Archive, Progress, compressing, measured
from broker.backups.configuration import configuration_files
from broker.backups.manifest import Loaded, Manifest, Member, Store
from broker.backups.staging import publish, staging, sync
from broker.database import Database
from broker.moments import rfc3339
from broker.secret_files import write_secret
from broker.settings import Settings
from broker.storage import Storage

CHECKPOINT: Final = "checkpoint"
SUFFIX: Final = ".broker-backup.tar"


@dataclass(frozen=True, slots=True)
class Running:
    """The broker that a backup is taken of, beside its running server if there is one."""

    config: Path
    settings: Settings
    database: Database
    storage: Storage
    clock: Callable[[], int]
    """Microseconds since 1970."""

    @property
    def sqlite(self) -> bool:
        return isinstance(self.settings.database, Path)


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is whole and has its name."""

    file: Path
    manifest: Manifest
    bytes: int


@dataclass(frozen=True, slots=True)
class Wish:
    """`place` is a folder, or a new file's name; the secrets are sealed to `recipient`, or left out."""

    place: Path
    recipient: X25519PublicKey | None
    progress: Progress

    @property
    def sealed_to(self) -> str:
        return sealed_secrets.fingerprint(self.recipient) if self.recipient is not None else ""


@dataclass(frozen=True, slots=True)
class _Copied:
    """The database's copy in files, by their members' names, and what it was at that moment."""

    head: Head
    revision: str
    loaded: Loaded
    files: dict[str, Path]
    columns: dict[str, list[str]]


def make(running: Running, wish: Wish) -> Made:
    """Raises FileExistsError, LedgerUnavailable, BackupDamaged, OSError, ConfigurationError; then no file was left."""
    now, backup = running.clock() // 1_000_000, f"bk_{secrets.token_urlsafe(12)}"
    target = wish.place / f"{_stamp(now)}{SUFFIX}" if wish.place.is_dir() else wish.place
    if target.exists():
        raise FileExistsError(target)
    signer = running.storage.ledger.signer
    with staging(target.parent) as folder:
        begun = _begin(running, wish, backup)  # 1
        copied = _copy(running, wish, folder)  # 2
        assert copied.head.frontier.size > begun, "the copy does not hold its own beginning"
        files, elsewhere = _collect(running, wish, copied, backup)  # 3
        filled = Manifest(
            backup=backup,
            made_at=rfc3339(now),
            origin=copied.head.origin,
            size=copied.head.frontier.size,
            root=copied.head.frontier.root().hex(),
            store=_store(running),
            revision=copied.revision,
            loaded=copied.loaded,
            columns=copied.columns,
            configuration=running.config.resolve().name,
            elsewhere=elsewhere,
            sealed_to=wish.sealed_to,
            members=[measured(name, file) for name, file in files.items()],
        )
        _write(folder / "whole", manifest.sign(filled, signer), [(one, files[one.name]) for one in filled.members])
        with (folder / "whole").open("rb") as stream:  # 5
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # from the disk, not from memory
            Archive(stream, lambda _: signer.vkey).check(wish.progress)
        publish(folder / "whole", target)  # 6
    done = Act(backup, now, DONE)
    running.storage.ledger.record(lambda transaction: note(transaction.connection, MADE, done)).result()
    return Made(target, filled, target.stat().st_size)


def _begin(running: Running, wish: Wish, backup: str) -> int:
    begun = BackupBegun(backup=backup, store=_store(running), recipient=wish.sealed_to)

    def work(transaction: Transaction) -> int:
        touch_head(transaction.connection)
        return transaction.append(begun)

    return running.storage.ledger.record(work).result().value


def _copy(running: Running, wish: Wish, folder: Path) -> _Copied:
    files, columns = {}, {}
    with running.database.snapshot() as connection:
        head = read_head(connection)
        check_tail(connection, running.storage.ledger.signer)
        revision, loaded = schema.revision_of(connection), _loaded(connection)
        if running.sqlite:
            file = sqlite_copy.copy_out(connection, folder, wish.progress)
        else:
            columns = postgresql_copy.columns_of(connection)
            files = postgresql_copy.copy_out(connection, folder, columns, wish.progress)
    if running.sqlite:  # compressed when nobody waits for the snapshot any more
        files[sqlite_copy.MEMBER] = _compressed(file)
    assert revision is not None
    return _Copied(head, revision, loaded, files, columns)


def _compressed(file: Path) -> Path:
    smaller = file.with_name(f"{file.name}.gz")
    with file.open("rb") as stream, compressing(smaller) as into:
        shutil.copyfileobj(stream, into, archive.PIECE)
    file.unlink()
    return smaller


def _loaded(connection: Connection) -> Loaded:
    digests = connection.execute(select(tables.configuration.c.digests)).scalar_one_or_none()
    return Loaded(*json.loads(digests)) if digests is not None else Loaded()


def _collect(running: Running, wish: Wish, copied: _Copied, backup: str) -> tuple[dict[str, Path], list[str]]:
    """Every member's file, and the names of what a restored broker needs and this backup does not hold."""
    folder = next(iter(copied.files.values())).parent
    inside, elsewhere = configuration_files(running.config, running.settings)
    small = {CHECKPOINT: copied.head.checkpoint} | {name: file.read_bytes() for name, file in inside.items()}
    if wish.recipient is not None:
        small[sealed_secrets.MEMBER] = sealed_secrets.seal(running.settings, wish.recipient, backup)
    else:
        elsewhere += sealed_secrets.secret_files(running.settings)
    files = dict(copied.files)
    for number, (name, content) in enumerate(small.items()):
        files[name] = folder / f"small-{number}"
        write_secret(files[name], content)
    return files, elsewhere


def _write(whole: Path, note: bytes, members: list[tuple[Member, Path]]) -> None:
    write_secret(whole, b"")
    with whole.open("wb") as stream:
        archive.write(stream, note, members)
    sync(whole)


def _store(running: Running) -> Store:
    return "sqlite" if running.sqlite else "postgresql"


def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
