"""A restored backup refuses to start; accepted by a person, the log goes on under a new origin that says so."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from audit import tables, verify
from audit.errors import LogForked
from audit.events import RequesterSuspended
from audit.forking import next_origin
from audit.tiles import export
from broker.forking import accept_fork
from broker.founding import found_broker
from broker.keys import read_keys
from broker.settings import Settings
from broker.wiring import open_storage

ISSUER = "http://127.0.0.1:8400"


def grow(settings: Settings, who: str, entries: int = 2) -> None:
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    for _ in range(entries):
        storage.ledger.record(lambda transaction: transaction.append(RequesterSuspended(requester=who))).result()
    storage.ledger.close()
    database.close()


def exported(settings: Settings, folder: Path) -> tuple[Path, str]:
    """An export, and the verifier key that the log now has."""
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    with storage.reader.begin() as connection:
        export(connection, folder, storage.ledger.signer.vkey)
    storage.ledger.close()
    database.close()
    return folder, storage.ledger.signer.vkey


def backed_up(settings: Settings, folder: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes()
        for file in folder.glob("broker.db*")
        if file.is_file() and "anchor" not in file.name
    }


def restore(settings: Settings, folder: Path, backup: dict[str, bytes]) -> None:
    for name, content in backup.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def restored(tmp_path: Path) -> Settings:
    """A broker whose database was put back to an earlier state, its anchor left as it was."""
    settings = found_broker(tmp_path / "b", issuer=ISSUER)
    grow(settings, "first")
    backup = backed_up(settings, tmp_path / "b")
    grow(settings, "lost")
    restore(settings, tmp_path / "b", backup)
    return settings


def test_origins_are_numbered() -> None:
    assert next_origin("broker.example/log") == "broker.example/log/fork-1"
    assert next_origin("broker.example/log/fork-1") == "broker.example/log/fork-2"
    assert next_origin("broker.example/fork-9/log") == "broker.example/fork-9/log/fork-1"


def test_a_restored_backup_refuses_to_start_and_says_what_to_do(restored: Settings) -> None:
    with pytest.raises(LogForked, match="accept-fork"):
        grow(restored, "later")


def test_an_accepted_fork_goes_on_and_says_so(restored: Settings, tmp_path: Path) -> None:
    signer = accept_fork(restored, "disk failed; yesterday's backup")
    assert signer.name == f"{restored.log_origin}/fork-1"
    grow(restored, "later")
    folder, vkey = exported(restored, tmp_path / "export")
    assert vkey == signer.vkey
    assert verify.verify_export(folder, vkey).checkpoint.size == 6
    database, storage = open_storage(restored, read_keys(restored.secrets, restored.log_origin))
    with storage.reader.begin() as connection:
        raw = connection.execute(select(tables.entry.c.body).where(tables.entry.c.idx == 2)).scalar_one()
    storage.ledger.close()
    database.close()
    entry = json.loads(raw)
    assert entry["event"] == "log.forked"
    assert entry["body"]["old_origin"] == restored.log_origin
    assert (entry["body"]["size"], entry["body"]["anchored_size"]) == (2, 4)


def test_the_old_key_does_not_open_the_new_log(restored: Settings, tmp_path: Path) -> None:
    old = read_keys(restored.secrets, restored.log_origin).log.vkey
    accept_fork(restored, "x")
    folder, _ = exported(restored, tmp_path / "export")
    with pytest.raises(verify.VerificationError):
        verify.verify_export(folder, old)


def test_a_healthy_log_cannot_be_forked(tmp_path: Path) -> None:
    settings = found_broker(tmp_path / "b", issuer=ISSUER)
    grow(settings, "first")
    with pytest.raises(LogForked, match="no fork"):
        accept_fork(settings, "x")
    grow(settings, "later")


def test_a_second_fork_is_another_origin(restored: Settings, tmp_path: Path) -> None:
    accept_fork(restored, "once")
    backup = backed_up(restored, tmp_path / "b")
    grow(restored, "lost again")
    restore(restored, tmp_path / "b", backup)
    assert accept_fork(restored, "twice").name == f"{restored.log_origin}/fork-2"
    grow(restored, "later")
