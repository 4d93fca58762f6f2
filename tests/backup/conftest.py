"""A house over each store."""

from pathlib import Path

import pytest

from tests.backup.house import House, found


@pytest.fixture
def house(tmp_path: Path, store: str, request: pytest.FixtureRequest) -> House:
    """Founded, with some entries, over SQLite and over PostgreSQL."""
    server = request.getfixturevalue("postgresql") if "://" in store else None
    return found(tmp_path / "b", store, server)


@pytest.fixture
def small(tmp_path: Path) -> House:
    """Over SQLite alone, where the store makes no difference."""
    return found(tmp_path / "b", "broker.db", None)


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder
