"""What a restore will not do: over somebody's head, under another's key, or half."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from broker import schema
from broker.backup_record import DONE, LOST
from broker.backups.errors import BackupDamaged, BackupRefused
from policies.strict_yaml import ConfigurationError
from tests.backup.house import House, found
from tests.store.test_migrations import probe


def state(house: House) -> Any:
    """Everything in the folder, or the log, before and after."""
    if house.server is not None:
        return house.entries()
    return {file: file.read_bytes() for file in house.folder.rglob("*") if file.is_file()}


def test_over_a_database_only_when_told_so(house: House, backups: Path) -> None:
    house.grow("first")
    made = house.back_up(backups)
    house.grow("later", 1)
    before = state(house)
    with pytest.raises(BackupRefused, match="--force"):
        house.restore(made.file)
    assert state(house) == before
    restored = house.restore(made.file, force=True)
    assert (restored.outcome, restored.lost) == (LOST, 1)
    if house.server is None:
        assert restored.aside is not None
        shutil.copytree(restored.aside, house.folder, dirs_exist_ok=True)
        house.grow("the one that was put aside is whole")


def test_never_over_a_living_broker(house: House, backups: Path) -> None:
    house.grow("first")
    made = house.back_up(backups)
    with house.running() as running:
        lock = running.database.process_lock()
        try:
            for force in (False, True):
                with pytest.raises(BackupRefused, match="stop"):
                    house.restore(made.file, force=force)
        finally:
            lock.release()
    house.hold_receipts()
    assert house.restore(made.file, force=True).outcome == DONE


def test_what_another_key_signed_is_refused_whole(small: House, backups: Path, tmp_path: Path) -> None:
    other = found(tmp_path / "other", "broker.db", None)
    foreign = other.back_up(backups)
    small.lose_database()
    before = state(small)
    with pytest.raises(BackupDamaged, match="manifest: not signed by the log's key"):
        small.restore(foreign.file)
    with pytest.raises(BackupDamaged, match="manifest: not signed by the log's key"):
        small.restore(foreign.file, pinned=small.vkey)
    with pytest.raises(BackupRefused, match="not the key of the log"):
        small.restore(foreign.file, pinned=other.vkey)
    assert state(small) == before


def test_a_log_of_another_name_is_another_log(small: House, backups: Path) -> None:
    made = small.back_up(backups)
    small.lose_database()
    with small.config.open("a", encoding="utf-8") as file:
        file.write("log_origin: elsewhere.example/log\n")
    with pytest.raises(BackupDamaged, match="another log than elsewhere"):
        small.restore(made.file)


def test_another_store_is_refused(small: House, backups: Path) -> None:
    made = small.back_up(backups)
    text = small.config.read_text(encoding="utf-8").replace('"broker.db"', '"postgresql://nobody@localhost/nowhere"')
    small.config.write_text(text, encoding="utf-8")
    with pytest.raises(BackupRefused, match="of sqlite"):
        small.restore(made.file)


def test_a_newer_programs_backup_is_refused(small: House, backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small.back_up(backups)
    small.lose_database()
    monkeypatch.setattr(schema, "revisions", lambda: ["0001"])
    with pytest.raises(BackupRefused, match="newer than this program's 0001"):
        small.restore(made.file)
    assert not small.file.exists()


def test_an_older_revision_is_brought_forward(
    house: House, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.grow("first")
    made = house.back_up(backups)
    house.lose_database()
    probe(monkeypatch, tmp_path)
    assert house.restore(made.file).outcome == DONE
    house.grow("at the newest revision")
    house.hold_receipts()


def test_a_migration_that_fails_leaves_the_place_as_it_was(
    house: House, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.grow("first")
    made = house.back_up(backups)
    probe(monkeypatch, tmp_path, fail=True)
    with pytest.raises(RuntimeError, match="half-way"):
        house.restore(made.file, force=True)
    monkeypatch.undo()
    house.grow("goes on")
    house.hold_receipts()
    assert not list(house.folder.glob(".broker-backup-*"))


def test_without_the_secrets_it_says_which_is_missing(small: House, backups: Path) -> None:
    made = small.back_up(backups)
    assert "secrets/subject-wrapping.key" in made.manifest.elsewhere
    small.lose_database()
    (small.settings.secrets / "subject-wrapping.key").unlink()
    with pytest.raises(ConfigurationError, match=r"subject-wrapping\.key"):
        small.restore(made.file)
    assert not small.file.exists()
