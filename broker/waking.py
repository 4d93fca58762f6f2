"""From the ledger's writer back to the event loop: a commit's callers are woken a few each round, in order.

A commit ends the waiting of a dozen exchanges, and each then works for a millisecond before it waits again. Were all of
them woken at once, nobody else would be heard for as long as they all take: not even to be refused.
"""

import asyncio
import contextlib
from collections import deque
from concurrent.futures import Future
from typing import Any, Final

AT_A_TIME: Final = 2
"""Some milliseconds of work. Each further round is one more wait for the interpreter's lock."""


class Waking:
    """Of one event loop. Only `wake` is called from other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._done: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._on_its_way = False
        """Whether the loop will look. Set before it is asked to, and unset before it looks for the last time, so that
        whatever is put in between is found by one of the two."""

    def wake(self, waiter: "asyncio.Future[Any]", done: "Future[Any]") -> None:
        """Have `waiter` end as `done` has. A loop that has been closed waits for nothing."""
        self._done.append((waiter, done))
        if not self._on_its_way:
            self._on_its_way = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake_some)

    def _wake_some(self) -> None:
        for _ in range(min(AT_A_TIME, len(self._done))):
            _settle(*self._done.popleft())
        self._on_its_way = False
        if self._done:
            self._on_its_way = True
            self._loop.call_soon(self._wake_some)


def _settle(waiter: "asyncio.Future[Any]", done: "Future[Any]") -> None:
    """As asyncio.wrap_future does it, at a fraction of its cost; a waiter that was cancelled hears nothing."""
    if waiter.done():
        return
    error = done.exception()
    if error is None:
        waiter.set_result(done.result())
    else:
        waiter.set_exception(error)
