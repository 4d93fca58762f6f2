"""The desk's SQLite file: one connection, one unit of work at a time, overwritten where something is deleted."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from broker.desk.tables import VERSION, metadata
from policies.strict_yaml import ConfigurationError

T = TypeVar("T")

_BUSY_SECONDS: Final = 10
_PRAGMAS: Final = ("journal_mode=TRUNCATE", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON")


class Store:
    """`broker desk clerks` may write beside a running desk: each unit holds the file's own lock."""

    def __init__(self, file: Path) -> None:
        """An existing file of these tables. Raises ConfigurationError for any other."""
        if not file.is_file():
            raise ConfigurationError(f"{file}:1: is not there; run `broker desk init` first")
        self._lock = threading.Lock()
        self._engine = create_engine(
            "sqlite+pysqlite://", creator=lambda: _connect(file), poolclass=StaticPool, hide_parameters=True
        )
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        with self._engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if found != VERSION:
            raise ConfigurationError(f"{file}:1: a desk's database of version {found}, not {VERSION}")

    @classmethod
    def create(cls, file: Path) -> "Store":
        """A new file that only its owner can read. Raises FileExistsError."""
        file.touch(mode=0o600, exist_ok=False)
        with _connect(file) as raw:
            raw.execute(f"PRAGMA user_version={VERSION}")
        store = cls(file)
        store.now(metadata.create_all)
        return store

    def now(self, work: Callable[[Connection], T]) -> T:
        """Run one unit of work: durable when this returns, undone where it raises."""
        with self._lock, self._engine.begin() as connection:
            return work(connection)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """The same beside the event loop."""
        return await asyncio.to_thread(self.now, work)

    def close(self) -> None:
        self._engine.dispose()


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    return connection
