"""A drill passes on a good backup and leaves nothing behind; it finds what is wrong with a bad one, and tells."""

import shutil
from pathlib import Path

import pytest

from broker.backup_record import read_acts
from broker.backups.errors import BackupDamaged, BackupMissing
from broker.forking import accept_fork
from tests.backup.house import House, found


def failed(house: House) -> bool:
    """Whether the last drill is known to have failed; its entry is the log's last."""
    with house.running() as running, running.storage.reader.begin() as connection:
        known = read_acts(connection).failed is not None
    last = [entry["body"]["outcome"] for entry in house.entries() if entry["event"] == "backup.drilled"][-1]
    assert last == ("failed" if known else "passed")
    return known


def test_it_passes_and_leaves_nothing_behind(house: House, backups: Path, tmp_path: Path) -> None:
    house.grow("first", 300)
    house.back_up(backups)
    house.clock_step = 3600 * 1_000_000
    newest = house.back_up(backups)
    house.grow("since", 2)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    house.clock_step += 7200 * 1_000_000
    before = {file for file in tmp_path.rglob("*") if "processes" not in str(file)}
    done = house.drill(backups, scratch, house.vkey)
    assert (done.file, done.manifest) == (newest.file, newest.manifest)
    assert (done.entries_since, done.newer) == (2, "")
    assert 7200 <= done.age < 9000
    assert list(scratch.iterdir()) == []
    assert {file for file in tmp_path.rglob("*") if "processes" not in str(file)} == before
    if house.server is not None:
        schemas = r"SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' ORDER BY nspname"
        assert house.server.execute(schemas, url=house.url) == [("information_schema",), ("public",)]
    assert not failed(house)
    house.check_log()


def test_it_finds_a_damaged_backup(small: House, backups: Path, tmp_path: Path) -> None:
    small.grow("first")
    made = small.back_up(backups)
    octets = bytearray(made.file.read_bytes())
    octets[len(octets) // 3] ^= 1
    made.file.write_bytes(octets)
    with pytest.raises(BackupDamaged, match="altered"):
        small.drill(backups, tmp_path)
    assert failed(small)
    small.clock_step = 1_000_000
    small.back_up(backups)
    small.drill(backups, tmp_path)
    assert not failed(small)


def test_one_that_cannot_be_read_is_not_passed_over(small: House, backups: Path, tmp_path: Path) -> None:
    small.back_up(backups)
    (backups / "20990101T000000Z.broker-backup.tar").write_bytes(b"")
    with pytest.raises(BackupDamaged, match="does not begin like a backup"):
        small.drill(backups, tmp_path)
    assert failed(small)


def test_it_finds_a_log_that_was_changed_before_the_backup(house: House, backups: Path, tmp_path: Path) -> None:
    """The signature is right and the tail in order: only reading every entry shows it."""
    house.grow("first", 5)
    with house.running() as running, running.database.turn() as connection:
        if house.server is None:
            connection.exec_driver_sql("DROP TRIGGER audit_entry_refuses_UPDATE")
            changed = "CAST(replace(CAST(body AS TEXT), 'first', 'fi5st') AS BLOB)"
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_entry_refuses_change ON audit_entry")
            changed = "convert_to(replace(convert_from(body, 'UTF8'), 'first', 'fi5st'), 'UTF8')"
        connection.exec_driver_sql(f"UPDATE audit_entry SET body = {changed} WHERE idx = 1")
    house.back_up(backups)
    with pytest.raises(BackupDamaged, match="entry 1"):
        house.drill(backups, tmp_path)
    assert failed(house)


def test_it_finds_a_log_that_the_running_one_does_not_continue(small: House, backups: Path, tmp_path: Path) -> None:
    small.grow("first")
    made = small.back_up(backups)
    small.clock_step = 1_000_000
    small.grow("another history")
    other = small.back_up(backups)
    small.lose_database()
    small.restore(made.file)
    accept_fork(small.settings, "the disk failed")
    small.grow("goes on", 5)
    assert small.drill(made.file, tmp_path).entries_since > 0, "the older one is where both histories come from"
    with pytest.raises(BackupDamaged, match="does not lead to both roots"):
        small.drill(other.file, tmp_path)
    assert failed(small)


def test_a_shorter_running_log_is_no_continuation(small: House, backups: Path, tmp_path: Path) -> None:
    """As where a fresh log took the old one's key."""
    small.grow("first")
    made = small.back_up(backups)
    fresh = found(tmp_path / "fresh", "broker.db", None)
    shutil.copy(small.settings.secrets / "log.key", fresh.settings.secrets / "log.key")
    for file in [*fresh.folder.glob("broker.db*")]:
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    fresh.restore(made.file, newest=True)
    fresh.grow("later")
    later = fresh.back_up(backups / "later.broker-backup.tar")
    with pytest.raises(BackupDamaged, match="never had"):
        small.drill(later.file, tmp_path)


def test_it_says_when_a_later_backup_is_missing(small: House, backups: Path, tmp_path: Path) -> None:
    small.back_up(backups)
    small.clock_step = 60_000_000
    later = small.back_up(backups)
    later.file.unlink()
    assert small.drill(backups, tmp_path).newer == later.manifest.backup


def test_where_there_is_none_it_says_so(small: House, backups: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupMissing):
        small.drill(backups, tmp_path)


def test_another_key_than_the_pinned_one_signed_it(small: House, backups: Path, tmp_path: Path) -> None:
    small.back_up(backups)
    other = found(tmp_path / "other", "broker.db", None)
    with pytest.raises(BackupDamaged, match="not signed by the log's key"):
        small.drill(backups, tmp_path, other.vkey)
    assert failed(small)
