"""The two ways to the tables: reads on a read-only connection, and the one door for writes. Both without blocking."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection, Engine

from audit.batch import Recorded, Transaction
from audit.ledger import Ledger
from broker.waking import Waking

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Storage:
    ledger: Ledger
    reader: Engine
    _waking: dict[asyncio.AbstractEventLoop, Waking] = field(default_factory=dict)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in a worker thread, in one read transaction."""
        return await asyncio.to_thread(self._read, query)

    async def record(self, work: Callable[[Transaction], T], *, leaves_standing: bool = False) -> Recorded[T]:
        """Give a unit of work to the ledger; returns when it is durable. It is queued before anybody awaits.

        `leaves_standing` as in `Ledger.record`.
        """
        loop = asyncio.get_running_loop()
        waking = self._waking.get(loop) or self._waking.setdefault(loop, Waking(loop))
        waiter: asyncio.Future[Recorded[T]] = loop.create_future()

        def wake(recorded: "Future[Recorded[T]]") -> None:
            waking.wake(waiter, recorded)

        self.ledger.record(work, leaves_standing=leaves_standing).add_done_callback(wake)
        return await waiter

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self.reader.begin() as connection:
            return query(connection)
