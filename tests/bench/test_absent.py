"""What cannot be measured on a machine is left out of the run and said."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.beside.rows import POSTGRESQL, SLOW, Setup
from bench.beside.world import databases
from tests.postgresql import VARIABLE

SQLITE_ALONE = Setup()


@pytest.fixture
def told() -> list[str]:
    return []


def possible(setups: list[Setup], folder: Path, told: list[str]) -> Mapping[Setup, tuple[str, str]]:
    with databases(setups, folder, told.append) as urls:
        return urls


def test_without_a_server_postgresql_is_left_out(
    tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("tests.postgresql.find_binaries", lambda: None)
    assert list(possible([SQLITE_ALONE, Setup(POSTGRESQL)], tmp_path, told)) == [SQLITE_ALONE]
    assert "NOT MEASURED on PostgreSQL" in "".join(told)


def test_without_strace_the_slow_disk_is_left_out(
    tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert list(possible([SQLITE_ALONE, Setup(disk=SLOW)], tmp_path, told)) == [SQLITE_ALONE]
    assert "NOT MEASURED slow disk" in "".join(told)


def test_what_can_be_had_is_not_said_to_be_absent(tmp_path: Path, told: list[str]) -> None:
    assert list(possible([SQLITE_ALONE], tmp_path, told)) == [SQLITE_ALONE]
    assert told == []
