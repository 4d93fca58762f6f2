"""A server that leaves without refusing a call.

 1 told     /readyz says 503 from here on; every answer closes its connection, so that the next one goes elsewhere; new
            connections and calls are taken as ever, for `seconds`
 2 closed   no new connection is taken; who has connected and not asked yet is heard out
 3 emptied  what is under way ends (uvicorn's graceful shutdown); long polls at once

A connection that nobody used during 1 is closed in 2: whoever keeps connections longer than `seconds` without using
them must expect that of any server, at any time.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

import uvicorn

from broker import systemd
from broker.listening import many_handed
from broker.written_problem import CLOSE

HEARD_OUT: Final = 5.0
"""Seconds for the first byte of whoever has connected before the listening socket was closed."""


class LeavingServer(uvicorn.Server):
    """uvicorn's, with a first part of its end and signs to systemd."""

    def __init__(
        self, config: uvicorn.Config, seconds: float, beside: Callable[[Iterable[Any]], Coroutine[Any, Any, None]]
    ) -> None:
        """`beside` runs with the server's connections for as long as it serves, its own end included."""
        super().__init__(config)
        self._seconds = seconds
        self._beside = beside
        self._told_at: float | None = None
        self.closed = False
        """Whether step 2 has begun: nobody should wait for anything any more."""

    @property
    def leaving(self) -> bool:
        return self.should_exit

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        running = asyncio.create_task(self._beside(self.server_state.connections))
        try:
            await super().serve(sockets)
        finally:
            running.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(many_handed(sockets) if sockets is not None else None)
        systemd.tell("READY=1")

    async def on_tick(self, counter: int) -> bool:
        over = await super().on_tick(counter)
        if not over or self.force_exit:
            return over
        if self._told_at is None:
            self._told_at = time.monotonic()
            systemd.tell("STOPPING=1")
            self.config.encoded_headers = [*self.config.encoded_headers, CLOSE]
            self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        return time.monotonic() - self._told_at >= self._seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.closed = True
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        end = time.monotonic() + HEARD_OUT
        while self._unheard() and time.monotonic() < end:  # noqa: ASYNC110 - uvicorn keeps connections, not events
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)

    def _unheard(self) -> bool:
        """Whether somebody has connected whose first request has not come."""
        return any(getattr(connection, "cycle", None) is None for connection in self.server_state.connections)
