"""A stage on which a route's own connector plays without its department, from what was recorded of it."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from connectors.contract import Answer, LateConnector, Question
from connectors.files import Charset, Marker, marker_of
from connectors.gateways.credentials import Credentials
from connectors.http_wire import OK
from connectors.requests import Outgoing
from policies.vocabulary import Outcome

T = TypeVar("T")

ONLY: Final = ""
"""The step of a route that has but one."""


class Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came back, in the words of the route's kind."""

    body: str = ""
    """From a wire, or the lines of a response file."""
    base64: str = ""
    """The same where it is no text in UTF-8."""
    replies: dict[str, str] = {}
    """Of a route with several steps: the body that each was answered with."""
    rows: tuple[dict[str, Any], ...] = ()
    """From a database; of a hand, the one record that was typed."""
    status: str = ""
    """Of two tables, the request row's in the end."""
    code: str = ""
    said: str = ""
    """Of a hand: `found`, `no_record` and so on."""

    def octets(self, charset: Charset = "utf-8") -> bytes:
        return base64.b64decode(self.base64) if self.base64 else self.body.encode(charset)


@dataclass(frozen=True, slots=True)
class Stage:
    """One rehearsal: what is asked, what was recorded, at which moment, and what was sent so far."""

    question: Question
    recorded: Recorded
    at: datetime
    sent: dict[str, Any] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.at


class NotRecordedError(Exception):
    """The route asks for something that the sample has no answer to."""

    def __init__(self, step: str) -> None:
        super().__init__(f"no reply is recorded for the step {step!r}")


class RecordedTransport:
    """Answers each step, in their order, with what was recorded for it. Shows no credentials: they are secrets."""

    def __init__(self, stage: Stage, *steps: str) -> None:
        self._stage = stage
        self._steps: Iterator[str] = iter(steps)

    async def shown(self, asking: Callable[[Credentials], Awaitable[T]]) -> T:
        return await asking(Credentials())

    async def send(
        self, method: str, request: Outgoing, credentials: Credentials, readable: frozenset[int] = frozenset({OK})
    ) -> tuple[int, bytes]:
        del credentials, readable
        step = next(self._steps)
        sent = {
            "method": method,
            "query": dict(request.query),
            "headers": dict(request.headers),
            "body": (request.body or b"").decode(),
        }
        self._stage.sent.update(sent if step == ONLY else {step: sent})
        return OK, self._reply(step)

    async def aclose(self) -> None: ...

    def now_ms(self) -> int:
        return int(self._stage.at.timestamp() * 1000)

    def _reply(self, step: str) -> bytes:
        if step == ONLY:
            return self._stage.recorded.octets()
        if step not in self._stage.recorded.replies:
            raise NotRecordedError(step)
        return self._stage.recorded.replies[step].encode()


class RecordedDrop:
    """Notes the files that are left, and has the response and its marker there at once."""

    def __init__(self, stage: Stage, charset: Charset, marker: Marker) -> None:
        self._stage = stage
        self._charset = charset
        self._marker = marker

    async def leave(self, name: str, content: bytes) -> None:
        self._stage.sent[name] = content.decode(self._charset)

    async def find(self, name: str) -> bytes | None:
        content = self._stage.recorded.octets(self._charset)
        whole = name.removesuffix(f".{self._marker}")
        return content if whole == name else marker_of(self._marker, whole, content)[1]

    async def aclose(self) -> None: ...


def finished(work: Coroutine[Any, Any, T]) -> T:
    """What it returns. In a thread of its own: whoever calls may have an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def carried_through(connector: LateConnector, question: Question) -> Answer:
    """Asked, and carried on with once where that left it pending."""
    answer = finished(connector.fetch(question))
    if answer.outcome is not Outcome.PENDING or answer.ticket is None:
        return answer
    return finished(connector.carry_on(question, answer.ticket))
