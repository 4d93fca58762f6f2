"""The two ways to the tables: reads on a read-only connection, and the one door for writes. Both without blocking."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine

from audit.batch import Recorded, Transaction
from audit.ledger import Ledger

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Storage:
    ledger: Ledger
    reader: Engine

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in a worker thread, in one read transaction."""
        return await asyncio.to_thread(self._read, query)

    async def record(self, work: Callable[[Transaction], T]) -> Recorded[T]:
        """Give a unit of work to the ledger; returns when it is durable. It is queued before anybody awaits."""
        return await asyncio.wrap_future(self.ledger.record(work))

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self.reader.begin() as connection:
            return query(connection)
