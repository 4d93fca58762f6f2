"""The two ways to the tables: reads on a read-only connection, and the one door for writes. Both without blocking."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
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

    async def record(self, work: Callable[[Transaction], T], *, leaves_standing: bool = False) -> Recorded[T]:
        """Give a unit of work to the ledger; returns when it is durable. It is queued before anybody awaits.

        `leaves_standing` as in `Ledger.record`.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Recorded[T]] = loop.create_future()

        def wake(recorded: "Future[Recorded[T]]") -> None:
            with contextlib.suppress(RuntimeError):  # a loop that has been closed waits for nothing
                loop.call_soon_threadsafe(_settle, waiter, recorded)

        self.ledger.record(work, leaves_standing=leaves_standing).add_done_callback(wake)
        return await waiter

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self.reader.begin() as connection:
            return query(connection)


def _settle(waiter: "asyncio.Future[T]", recorded: "Future[T]") -> None:
    """As asyncio.wrap_future does it, at a fraction of its cost; a waiter that was cancelled hears nothing."""
    if waiter.done():
        return
    error = recorded.exception()
    if error is None:
        waiter.set_result(recorded.result())
    else:
        waiter.set_exception(error)
