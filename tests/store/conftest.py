"""The same test over each store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.database import Database
from tests.faults.ledger_file import open_place


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A file that is not there yet, or the URL of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return tmp_path / "store.db"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def database(place: Path | str) -> Iterator[Database]:
    opened = open_place(place)
    yield opened
    opened.close()
