"""Clients that send or read too slowly, whatever the reason: nobody is waited for without an end.

uvicorn waits for ever for a head, a body, and for an answer to be taken. Here, by the setting `load: {slow_seconds}`:

 request   arrives, head and body, within that time of its first byte; the first one of its connection's beginning.
           The application does not hear of it before, so a dripping body costs a connection and nothing else.
 answer    what the client's system has not taken: at least LEAST bytes of it are taken in each stretch of that time.

A slow application is neither: nothing is then half received, and nothing waits to be taken.
"""

import asyncio
import fcntl
import socket
import struct
import termios
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from broker.written_problem import written
from policies.refusals import Code, Refusal

LEAST: Final = 32 * 1024
LOOKS: Final = 16
"""So often within the time allowed everybody is looked at: cheaper than a timer for each. Looks are counted and not
seconds, so nobody is blamed for the time in which we were held up ourselves."""
_NOT_LINGERING: Final = struct.pack("ii", 1, 0)
_ACKNOWLEDGED_AT: Final = 120
"""Of `tcpi_bytes_acked` in struct tcp_info, Linux 4.1 and later."""


class PromptProtocol(HttpToolsProtocol):
    """One connection. What is awaited of its client is noted here; `judge` is called from outside."""

    issuer = ""
    """Whose problem types a refusal names."""
    _receiving: int | None = None
    """Looks since a request began that has not wholly arrived, or the connection that has brought none."""
    _begun = False
    """Whether a byte of that request has come."""
    _incomplete: tuple[RequestResponseCycle, ASGI3Application] | None = None
    """What the application hears of once its body is there."""
    _lying = 0
    """Looks since LEAST was last taken of an answer that waits to be taken."""
    _taken = 0
    """Bytes that had been taken by then."""
    _sent = 0
    """Bytes that had been given out by then: once they are taken, what lies is another answer's."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._receiving = 0

    def connection_lost(self, exc: Exception | None) -> None:
        self._incomplete = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._receiving is None:  # also for what begins no request: any byte ends the rest between two
            self._receiving = 0
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True
        if self._receiving is None:
            self._receiving = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if len(self.cycle.body) > HIGH_WATER_LIMIT:  # not to be kept here: the application has limits of its own
            self._hand_over()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._begun, self._receiving = False, None
        self._hand_over()

    def shutdown(self) -> None:
        if self._incomplete is not None:
            self.transport.close()
        else:
            super().shutdown()

    def judge(self) -> str:
        """Look once, and close the connection where its client is too slow; with what it was."""
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            return ""
        if self._keeps_sending():
            self._refuse()
            return "request"
        if self._leaves_lying():
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_LINGERING)
            self.transport.abort()
            return "answer"
        return ""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.more_body and not cycle.waiting_for_100_continue:
            self._incomplete = cycle, app
        else:
            self._take_up(cycle, app)

    def _hand_over(self) -> None:
        if self._incomplete is not None:
            (cycle, app), self._incomplete = self._incomplete, None
            self._take_up(cycle, app)

    def _take_up(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Begin with a request, of which no more is waited for here."""
        super()._start_asgi_task(cycle, app)

    def _refuse(self) -> None:
        last: RequestResponseCycle | None = self.cycle
        if self._begun and (self._incomplete is not None or last is None or last.response_complete):
            self.transport.write(written(Refusal(Code.INVALID_REQUEST), issuer=self.issuer, closing=True))
        self._receiving = None
        self.transport.close()

    def _keeps_sending(self) -> bool:
        if self._receiving is None:
            return False
        self._receiving = 0 if self.flow.read_paused else self._receiving + 1  # it may be us who do not read on
        return self._receiving > LOOKS

    def _leaves_lying(self) -> bool:
        last: RequestResponseCycle | None = self.cycle
        if last is None or not last.response_started:
            return False
        connection = self.transport.get_extra_info("socket")
        lies = self.transport.get_write_buffer_size() + _unacknowledged(connection)
        if not lies:
            self._lying = 0
            return False
        taken = _acknowledged(connection)
        if not self._lying or taken - self._taken >= LEAST or taken >= self._sent > 0:
            self._lying, self._taken, self._sent = 0, taken, taken + lies
        self._lying += 1
        return self._lying > LOOKS


async def watch(connections: Iterable[Any], within: float, tell: Callable[[Counter[str]], None]) -> None:
    """Close what is too slow, for ever; `tell` hears how many of each sort, as often as there were any."""
    while True:
        await asyncio.sleep(within / LOOKS)
        closed = Counter(part for part in (one.judge() for one in [*connections]) if part)
        if closed:
            tell(closed)


def _unacknowledged(connection: Any) -> int:
    """Bytes that the system holds and the client's has not taken."""
    try:
        (waiting,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
    except OSError:  # not every system says so of a socket
        return 0
    return int(waiting)


def _acknowledged(connection: Any) -> int:
    """Bytes that the client's system has taken so far; where that is not told, nobody's progress is seen."""
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        return int(struct.unpack_from("Q", told, _ACKNOWLEDGED_AT)[0])
    except (OSError, AttributeError, struct.error):
        return 0
