"""The door: in which order requests come in, and which exchanges do not.

Under three times the load two of three exchanges are refused, and what each costs is taken from those that are not. So
one that would find no place is answered before it becomes a task, and passes through none of the layers of
broker/app.py. It has the same answer and counters, but no log line of its own: one tells how many were turned away
since the last.

All else, the pages and the public addresses, comes in one each round of the event loop, in order: however many ask at
once, an exchange waits for one of them at each of its steps.
"""

import asyncio
import functools
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from broker.exchange import ExchangePath
from broker.problems import status_of
from broker.slow_clients import PromptProtocol
from broker.straight import METHOD, PATH
from broker.telemetry import Telemetry
from broker.written_problem import CLOSE, written
from policies.refusals import Refusal, Refused

TOLD_EVERY: Final = 1.0
"""Seconds."""


class Door:
    """Owned by one event loop."""

    def __init__(self, path: ExchangePath, telemetry: Telemetry) -> None:
        self._path = path
        self._telemetry = telemetry
        self._turned_away: Counter[str] = Counter()
        self._outside: deque[Callable[[], None]] = deque()

    def refusal(self, body: bytearray) -> Refusal | None:
        """Why this exchange, which has wholly arrived, finds no place; None where it goes on to the application."""
        try:
            self._path.check_place(body.decode("latin-1"))
        except Refused as refused:
            code = refused.refusal.code
            self._turned_away[str(code)] += 1
            self._telemetry.requests.labels(PATH, status_of(refused.refusal)).inc()
            self._telemetry.refusals.labels(code).inc()
            return refused.refusal
        return None

    def let_in(self, begin: Callable[[], None]) -> None:
        """Begin with a request, after those that came before it."""
        self._outside.append(begin)
        if len(self._outside) == 1:
            asyncio.get_running_loop().call_soon(self._let_one_in)

    def _let_one_in(self) -> None:
        try:
            self._outside[0]()
        finally:
            self._outside.popleft()
            if self._outside:
                asyncio.get_running_loop().call_soon(self._let_one_in)

    async def tell(self) -> None:
        """Tell how many, for ever, as often as there were any."""
        while True:
            await asyncio.sleep(TOLD_EVERY)
            if self._turned_away:
                self._telemetry.log.info("turned_away", route=PATH, **self._turned_away)
                self._turned_away.clear()


class Connection(PromptProtocol):
    """One client's: a request that has wholly arrived goes through the door."""

    door: Door

    def _take_up(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        begin = functools.partial(super()._take_up, cycle, app)
        if not _is_exchange(cycle.scope):
            self.door.let_in(begin)
            return
        whole = not cycle.more_body and not self.flow.write_paused
        refusal = self.door.refusal(cycle.body) if whole else None
        if refusal is None:
            begin()
        else:
            self._turn_away(cycle, refusal)

    def _turn_away(self, cycle: RequestResponseCycle, refusal: Refusal) -> None:
        english = dict(cycle.scope["headers"]).get(b"accept-language", b"").lower().startswith(b"en")
        beside = cycle.default_headers
        closing = not cycle.keep_alive or CLOSE in beside
        self.transport.write(written(refusal, issuer=self.issuer, english=english, closing=closing, beside=beside))
        cycle.response_started = cycle.response_complete = True
        if closing:
            self.transport.close()
        self.on_response_complete()


def _is_exchange(scope: Mapping[str, Any]) -> bool:
    return bool(scope["path"] == PATH and scope["method"] == METHOD)


def connections_of(issuer: str, door: Door) -> type[Connection]:
    """The connections of one server."""
    return type("ConnectionHere", (Connection,), {"issuer": issuer, "door": door})
