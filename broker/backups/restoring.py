"""Putting a backup back, where it may be: never over a living broker, never over anything without being told so.

1 trust     the signature and every byte, before anything is written
2 place     whether there is a broker, or a database, in the way
3 files     configuration and secrets that are missing; what is there is left alone
4 database  filled and brought forward out of sight, then put in place whole, or not at all
5 anchor    tells whether entries are missing; then a person must accept the fork, as after any other restore
6 record    where nothing is missing: an entry of the log
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from audit.anchor import Anchored, AnchorFile, extends
from audit.backup_events import BackupRestored
from audit.batch import read_head
from audit.checkpoint import LogSigner
from audit.tail import check_tail
from broker import schema
from broker.backup_record import DONE, LOST, MADE, RESTORED, UNSURE, Act, note
from broker.backups import configuration, postgresql_copy, sealed_secrets, sqlite_copy
from broker.backups.archive import Archive, Progress
from broker.backups.errors import BackupDamaged, BackupRefused
from broker.backups.manifest import Manifest, seconds_of, unverified_signer
from broker.backups.staging import staging
from broker.backups.trust import vkey_for
from broker.database import connect
from broker.keys import Keys, read_keys
from broker.settings import Settings, read_settings
from broker.wiring import open_storage, wall_clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be restored, and what may be done for it."""

    file: Path
    config: Path
    pinned: str
    """The verifier key to trust; empty for that of the log.key here."""
    unseal: Path | None
    force: bool
    newest: bool
    """Somebody states that nothing was recorded after this backup; only where there is no anchor to tell."""
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done."""

    manifest: Manifest
    outcome: str
    lost: int | None
    """Entries that the anchor knows of and that are gone; None where nothing tells."""
    put_back: list[str]
    differing: list[str]
    """Files of the configuration that are not those of the backup; they were left as they are."""
    aside: Path | None
    """Where the database that was there has gone."""


def restore(wish: Wish) -> Restored:
    """Raises BackupError, ConfigurationError, FileExistsError, OSError, LogDamaged, LedgerUnavailable."""
    with wish.file.open("rb") as stream:
        there = read_settings(wish.config) if wish.config.exists() else None
        archive = Archive(stream, lambda name: vkey_for(name, wish.pinned, there))  # 1
        archive.check(wish.progress)
        if there is not None:
            _refuse(archive.manifest, there, force=wish.force)  # 2
        put_back = configuration.put_back(archive, wish.config)  # 3
        settings = read_settings(wish.config)
        _refuse(archive.manifest, settings, force=wish.force)
        if wish.unseal is not None:
            put_back += _unsealed(archive, settings, wish.unseal)
        keys = read_keys(settings.secrets, settings.log_origin)
        signer = keys.log.named(archive.manifest.origin)
        if signer.vkey != vkey_for(unverified_signer(archive.note), wish.pinned, settings):
            raise BackupRefused(f"{settings.secrets}: its log.key is not the key of the log in this backup")
        placing = _Placing(archive, settings, signer, wish)
        aside = placing.place()  # 4, 5
        if placing.outcome == DONE:
            _record(settings, keys, archive.manifest, "anchored" if placing.anchored is not None else "stated")  # 6
        return Restored(
            manifest=archive.manifest,
            outcome=placing.outcome,
            lost=placing.lost,
            put_back=put_back,
            differing=configuration.differing(archive, wish.config),
            aside=aside,
        )


def _refuse(manifest: Manifest, settings: Settings, *, force: bool) -> None:
    known = schema.revisions()
    if manifest.revision not in known:
        raise BackupRefused(f"the backup is at revision {manifest.revision}, newer than this program's {known[-1]}")
    sqlite = isinstance(settings.database, Path)
    if (manifest.store == "sqlite") != sqlite:
        raise BackupRefused(f"the backup is of {manifest.store}; this configuration names another store")
    if isinstance(settings.database, Path):
        sqlite_copy.refuse_living(settings.database)
        if sqlite_copy.is_there(settings.database) and not force:
            raise BackupRefused(f"{settings.database}: there is a database; --force puts it aside")


def _unsealed(archive: Archive, settings: Settings, key_file: Path) -> list[str]:
    if not archive.manifest.sealed_to:
        raise BackupRefused("there are no secrets in this backup: put them back from where they are kept")
    sealed = archive.whole(sealed_secrets.MEMBER)
    return sealed_secrets.put_back(sealed_secrets.unseal(sealed, key_file, archive.manifest.backup), settings)


def _record(settings: Settings, keys: Keys, manifest: Manifest, newest: str) -> None:
    restored = BackupRestored(backup=manifest.backup, size=manifest.size, root=manifest.root, newest=newest)
    database, storage = open_storage(settings, keys)
    try:
        storage.ledger.record(lambda transaction: transaction.append(restored)).result()
    finally:
        storage.ledger.close()
        database.close()


class _Placing:
    """Steps 4 and 5, on either store."""

    def __init__(self, archive: Archive, settings: Settings, signer: LogSigner, wish: Wish) -> None:
        self._archive, self._settings, self._signer, self._wish = archive, settings, signer, wish
        self.anchored = AnchorFile(settings.anchor).read()
        self.outcome = UNSURE
        self.lost: int | None = None

    def place(self) -> Path | None:
        """Where what was there has gone."""
        if isinstance(self._settings.database, Path):
            return self._on_sqlite(self._settings.database)
        self._on_postgresql()
        return None

    def _on_sqlite(self, file: Path) -> Path | None:
        with staging(file.parent) as folder:
            copy = sqlite_copy.unpack(self._archive, folder)
            with sqlite_copy.opened(copy) as database, database.long_turn() as connection:
                schema.upgrade(connection)
                self._settle(connection)
            return sqlite_copy.put_in_place(copy, file)

    def _on_postgresql(self) -> None:
        database = connect(self._settings)
        try:
            with database.long_turn() as connection:
                postgresql_copy.clear(connection, force=self._wish.force)
                postgresql_copy.copy_in(connection, self._archive)
                self._settle(connection)
        finally:
            database.close()

    def _settle(self, connection: Connection) -> None:
        """Hold the log against the manifest and the anchor, and put down what was done."""
        manifest = self._archive.manifest
        check_holds(connection, manifest, self._signer)
        self._tell_lost(connection, Anchored(manifest.size, bytes.fromhex(manifest.root)))
        note(connection, MADE, Act(manifest.backup, seconds_of(manifest), DONE))
        note(connection, RESTORED, Act(manifest.backup, wall_clock() // 1_000_000, self.outcome))

    def _tell_lost(self, connection: Connection, held: Anchored) -> None:
        if self.anchored is None:
            self.outcome = DONE if self._wish.newest else UNSURE
            self.lost = 0 if self._wish.newest else None
            return
        is_newest = extends(connection, self.anchored)
        self.outcome = DONE if is_newest else LOST
        self.lost = max(0, self.anchored.size - held.size)
        if self._wish.newest and not is_newest:
            raise BackupRefused(f"it is not the newest: the anchor knows {self.anchored.size} entries, not {held.size}")


def check_holds(connection: Connection, manifest: Manifest, signer: LogSigner) -> None:
    """Raises BackupDamaged where the log that came out is not the one signed for; LogDamaged where it is none."""
    head = read_head(connection)
    log = (head.origin, head.frontier.size, head.frontier.root().hex())
    if log != (manifest.origin, manifest.size, manifest.root):
        raise BackupDamaged("database", "its log is not the one that the manifest names")
    check_tail(connection, signer)
