"""The threads in which one route's databases are asked, so that a stuck one holds up no other route, and their end."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connectors.databases import trouble_of
from connectors.trouble import DepartmentError, garbled
from policies.vocabulary import Outcome

T = TypeVar("T")


class DatabaseThreads:
    """As many as the route has places. Owns the engines: a connection given back after their end would stay open."""

    def __init__(self, route: str, places: int, *engines: sqlalchemy.Engine) -> None:
        self._engines = engines
        self._threads = ThreadPoolExecutor(places, thread_name_prefix=route)
        self._lock = threading.Lock()
        self._busy = 0  # both are the lock's
        self._closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """Return what the work returns. Raises DepartmentError where the database failed it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, work)

    def close(self) -> None:
        """Let go without waiting: of what is idle now, of the rest as soon as its thread's own time limit is over."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            idle = not self._busy
        if idle:
            self._let_go()

    def _work(self, work: Callable[[], T]) -> T:
        self._enter()
        try:
            return work()
        except DBAPIError as error:
            raise trouble_of(error) from None
        except SQLAlchemyError:
            raise garbled("database_client") from None
        finally:
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._closed:
                raise DepartmentError(Outcome.DEPARTMENT_DOWN, "route_closed")
            self._busy += 1

    def _leave(self) -> None:
        with self._lock:
            self._busy -= 1
            last = self._closed and not self._busy
        if last:
            self._let_go()

    def _let_go(self) -> None:
        for engine in self._engines:
            engine.dispose()
