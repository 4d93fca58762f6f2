"""The embedded database: durable settings on every connection, several processes, folding, kill -9, a full disk.

FAULTS_LONG=1 runs ten times as many units through the processes.
"""

import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from broker import sqlite as broker_sqlite
from broker.sqlite import SqliteDatabase
from policies.strict_yaml import ConfigurationError
from tests.faults.appenders import ROOT, Appender, held_against
from tests.faults.ledger_file import found, note, opened, wall_clock

UNITS = 1500 if os.environ.get("FAULTS_LONG") else 150
PROCESSES = 4


def settings_of(connection: Any) -> dict[str, Any]:
    names = ("journal_mode", "synchronous", "wal_autocheckpoint", "query_only", "trusted_schema")
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}


def test_every_connection_has_the_durable_settings(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        for _ in range(2):
            with log.database.turn() as connection:
                assert settings_of(connection) == {
                    "journal_mode": "wal",
                    "synchronous": 2,
                    "wal_autocheckpoint": 0,
                    "query_only": 0,
                    "trusted_schema": 0,
                }
        readers = [log.database.reader.connect() for _ in range(8)]
        for reader in readers:
            held = settings_of(reader)
            assert (held["journal_mode"], held["wal_autocheckpoint"], held["query_only"]) == ("wal", 0, 1)
        for reader in readers:
            reader.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO faults_state VALUES ('x', 1)",
        "DELETE FROM audit_entry",
        "DROP TABLE audit_entry",
        "PRAGMA user_version=7",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "VACUUM",
    ],
)
@pytest.mark.parametrize("unlocked", [False, True], ids=["as it is", "query_only switched off"])
def test_a_reader_really_cannot_write(tmp_path: Path, statement: str, unlocked: bool) -> None:
    with opened(tmp_path) as log:
        log.ledger.record(note("kept")).result(10)
        before = Path(f"{log.file}-wal").stat().st_size
        with log.database.reader.connect() as reader:
            if unlocked:  # the file itself is open read-only; the pragma is the second lock, not the only one
                reader.exec_driver_sql("PRAGMA query_only=OFF")
                reader.rollback()
            raw: Any = reader.connection.dbapi_connection
            with pytest.raises(sqlite3.OperationalError):
                raw.execute(statement).fetchall()
            reader.invalidate()
        assert Path(f"{log.file}-wal").stat().st_size == before, "a reader folded the log"
        assert log.names() == ["kept"]
        log.check()


def test_a_reader_may_not_write_through_the_pool(tmp_path: Path) -> None:
    with opened(tmp_path) as log, log.database.reader.begin() as reader, pytest.raises(OperationalError):
        reader.execute(text("INSERT INTO faults_state VALUES ('x', 1)"))


def test_the_files_are_nobody_elses(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.ledger.record(note("kept")).result(10)
        assert Path(f"{log.file}.turn").stat().st_mode & 0o077 == 0


def test_an_unsafe_setting_refuses_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found(tmp_path / "ledger.db")

    def careless(connection: sqlite3.Connection, _: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0"):
            connection.execute(f"PRAGMA {pragma}").close()

    monkeypatch.setattr(broker_sqlite, "_make_durable", careless)
    with pytest.raises(ConfigurationError, match="synchronous"):
        SqliteDatabase(tmp_path / "ledger.db")


def test_a_database_that_cannot_be_written_ahead_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_sqlite, "BUSY_SECONDS", 0.5)
    file = tmp_path / "held.db"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("CREATE TABLE x (y)")
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    try:
        with pytest.raises((ConfigurationError, OperationalError)):
            SqliteDatabase(file)
    finally:
        holder.close()
    assert time.monotonic() - began < 5


def test_something_that_is_no_database_refuses(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"these are notes, not a database, whatever the name says" * 100)
    with pytest.raises((ConfigurationError, Exception), match="not a database"):
        SqliteDatabase(file)


def test_an_old_library_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(ConfigurationError, match="too old"):
        SqliteDatabase(tmp_path / "ledger.db")


def test_a_long_read_does_not_stall_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding gives way to whoever reads an old state, at once; else one export would stop every exchange."""
    monkeypatch.setattr(broker_sqlite, "FOLD_ABOVE", 0)
    with opened(tmp_path) as log:
        log.ledger.record(note("before")).result(10)
        with log.database.reader.begin() as reader:
            held = reader.exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one()
            began = time.monotonic()
            for number in range(5):
                log.ledger.record(note(f"n{number}")).result(30)
            took = time.monotonic() - began
            assert reader.exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one() == held == 1
        assert took < 9, f"five commits took {took:.1f} s behind one reader"
        log.ledger.record(note("after")).result(10)
        assert Path(f"{log.file}-wal").stat().st_size == 0, "what was held back was never folded"
        log.check()


def test_folding_keeps_the_write_ahead_log_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_sqlite, "FOLD_ABOVE", 200_000)
    with opened(tmp_path) as log:
        for number in range(120):
            log.ledger.record(note(f"n{number}", 3)).result(10)
        assert Path(f"{log.file}-wal").stat().st_size < 400_000
        log.check()


def test_several_processes_append_fold_and_die_without_losing_anything(tmp_path: Path) -> None:
    seed = int(os.environ.get("FAULTS_SEED", wall_clock()))
    sys.stdout.write(f"FAULTS_SEED={seed}" + "\n")
    chance = random.Random(seed)
    file = tmp_path / "ledger.db"
    found(file)
    appenders = [Appender(file, f"p{number}", 60_000, UNITS, hold=True) for number in range(PROCESSES)]
    assert all(appender.ready.wait(60) for appender in appenders)
    for appender in appenders:
        appender.go()
    victim = appenders[chance.randrange(PROCESSES)]
    victim.kill_after(chance.randrange(UNITS // 10, UNITS // 2))
    ends = {appender.end() for appender in appenders if appender is not victim}
    assert victim.end() == -signal.SIGKILL
    assert ends == {0}
    with opened(tmp_path) as log:
        assert Path(f"{file}-wal").stat().st_size <= 200_000, "nothing was ever folded"
        promised = held_against(log, appenders)
        assert promised >= (PROCESSES - 1) * UNITS + UNITS // 10
        unfinished = len(log.rows()) - promised
        assert 0 <= unfinished <= 6, "what the dead process had queued, at most"
        names = log.names()
        switches = sum(a.split("-")[0] != b.split("-")[0] for a, b in itertools.pairwise(names))
        assert switches > PROCESSES, "the processes never ran at once"
        log.acknowledged(log.ledger.record(note("afterwards")).result(10))
        log.check()


def test_all_processes_killed_in_a_loop(tmp_path: Path) -> None:
    seed = int(os.environ.get("FAULTS_SEED", wall_clock()))
    sys.stdout.write(f"FAULTS_SEED={seed}" + "\n")
    chance = random.Random(seed)
    file = tmp_path / "ledger.db"
    found(file)
    dead: list[Appender] = []
    for turn in range(3):
        living = [Appender(file, f"r{turn}p{number}", 30_000, 100_000) for number in range(2)]
        living[0].kill_after(chance.randrange(5, 60))
        living[1].kill_after(chance.randrange(5, 60))
        for appender in living:
            assert appender.end() == -signal.SIGKILL
        dead += living
    with opened(tmp_path) as log:
        assert held_against(log, dead) >= 30
        log.check()


def test_a_full_disk_refuses_and_heals_without_losing_anything(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    found(file)
    command = [sys.executable, "-m", "tests.faults.filling", str(file)]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120).stdout)
    assert len(told["refused"]) >= 10, "the disk never filled"
    with opened(tmp_path) as log:
        logged = set(log.rows())
        assert set(told["acknowledged"]) <= logged
        assert not set(told["refused"]) & logged, (
            "refused, yet it took effect: possible, but not in this way of failing"
        )
        log.check()
