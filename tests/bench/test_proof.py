"""A run whose log does not verify, or whose answers are not all in it, has no speed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench.failure import RunFailed
from bench.proof import verify_answers, verify_log
from broker.founding import found_broker
from broker.keys import read_keys
from broker.stops import start_releases, stop_releases
from broker.wiring import open_storage


@pytest.fixture
def vkey(tmp_path: Path) -> str:
    """The pinned key of a broker in `tmp_path` / `broker` whose log holds two entries."""
    settings = found_broker(tmp_path / "broker", issuer="http://127.0.0.1:8400")
    keys = read_keys(settings.secrets, settings.log_origin)
    database, storage = open_storage(settings, keys)
    storage.ledger.record(lambda transaction: stop_releases(transaction, "", "a test")).result()
    storage.ledger.record(lambda transaction: start_releases(transaction, "")).result()
    storage.ledger.close()
    database.close()
    return keys.log.vkey


def test_a_whole_log_is_proven(tmp_path: Path, vkey: str) -> None:
    assert verify_log(tmp_path / "broker", tmp_path / "export", vkey, answers=0) == 2


def test_an_altered_entry_fails_the_run(tmp_path: Path, vkey: str) -> None:
    with closing(sqlite3.connect(tmp_path / "broker" / "broker.db", isolation_level=None)) as connection:
        # Who holds the file can take off what guards it
        guards = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (guard,) in guards:
            connection.execute(f'DROP TRIGGER "{guard}"')
        altered = connection.execute(
            "UPDATE audit_entry SET body = CAST(replace(CAST(body AS TEXT), 'a test', 'no test') AS BLOB) WHERE idx = 0"
        )
        assert altered.rowcount == 1
    with pytest.raises(RunFailed, match="the log does not verify"):
        verify_log(tmp_path / "broker", tmp_path / "export", vkey, answers=0)


def test_another_key_fails_the_run(tmp_path: Path, vkey: str) -> None:
    other = found_broker(tmp_path / "other", issuer="http://127.0.0.1:8400")
    pinned = read_keys(other.secrets, other.log_origin).log.vkey
    with pytest.raises(RunFailed, match="the log does not verify"):
        verify_log(tmp_path / "broker", tmp_path / "export", pinned, answers=0)


def test_an_answer_without_its_release_fails_the_run(tmp_path: Path, vkey: str) -> None:
    with pytest.raises(RunFailed, match="1 answers came, 0 are in the log"):
        verify_log(tmp_path / "broker", tmp_path / "export", vkey, answers=1)


@pytest.mark.parametrize("results", ["[]", '[{"outcome":"department_down"}]', '[{"outcome":"pending"}]'])
def test_an_answer_that_cost_a_department_nothing_fails_the_run(vkey: str, results: str) -> None:
    with pytest.raises(RunFailed, match="departments did not answer"):
        verify_answers([f'{{"results":{results},"receipt":{{}}}}'.encode()], 1, vkey)


def test_an_answer_without_a_receipt_fails_the_run(vkey: str) -> None:
    with pytest.raises(RunFailed, match="a receipt does not verify"):
        verify_answers([b'{"results":[{"outcome":"found"}],"receipt":{}}'], 1, vkey)
