"""A department behind HTTP: JSON, form or XML in, sealed or in clear; JSON or XML out."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeAlias

from connectors.contract import Answer, Question
from connectors.gateways.credentials import Credentials, Envelope
from connectors.gateways.envelope_forms import BizContent, EnvelopeForm, Open
from connectors.gateways.envelopes import check_envelope
from connectors.memory import Memory
from connectors.reading import AnswerForm, read_aside, read_reply
from connectors.records import Reply, answer
from connectors.requests import RequestForm, check_request, outgoing
from connectors.route import Place, check_records
from connectors.status_checks import check_codes
from connectors.templates import values
from connectors.transport import OverHttp, Sending, check_members, check_transport
from policies.vocabulary import Item

HttpMaker: TypeAlias = Callable[[Memory, Callable[[], datetime]], "HttpConnector"]


class HttpRoute(OverHttp, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="http"):
    """One way to a department's item over HTTP."""

    reads_only: ClassVar[bool] = True

    request: RequestForm
    answer: AnswerForm
    envelope: EnvelopeForm = Open()


def check_http(route: HttpRoute, item: Item, place: Place, secrets_folder: Path) -> HttpMaker:
    """Return what makes the connector. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    check_request(route.request, item, place.at("request"))
    check_codes(route.answer.status, place.at("answer", "status", "codes"))
    _check_members(route, place)
    connect = check_transport(route, place, secrets_folder)
    envelope = check_envelope(route.envelope, place.at("envelope"), secrets_folder)
    return lambda memory, now: HttpConnector(route, envelope, connect(memory, now), now)


def _check_members(route: HttpRoute, place: Place) -> None:
    """What is put beside the request's own members, or sealed, needs a body that has members."""
    request = route.request
    check_members(route.authentication, request, place.at("request"))
    if isinstance(route.envelope, BizContent) and request.form is None:
        raise place.at("envelope").error("`biz_content` repeats the members of a form")
    if not isinstance(route.envelope, (Open, BizContent)) and request.json is None:
        raise place.at("envelope").error("what is sealed is a JSON body")


class HttpConnector:
    """Asks over one pool of connections, which belongs to the event loop of its first question."""

    def __init__(
        self, route: HttpRoute, envelope: Envelope | None, transport: Sending, now: Callable[[], datetime]
    ) -> None:
        self.route = route.name
        self._form = route
        self._envelope = envelope
        self._now = now
        self._transport = transport

    async def fetch(self, question: Question) -> Answer:
        """Ask once. Raises DepartmentError, OSError or TimeoutError where there is no usable answer."""
        reply = await self._transport.shown(partial(self._asked, question))
        return answer(self._form.records, question, self.route, reply)

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _asked(self, question: Question, shown: Credentials) -> Reply:
        sent_ms = self._transport.now_ms()
        seal = partial(self._envelope.seal, question=question, now_ms=sent_ms) if self._envelope else None
        request = outgoing(self._form.request, values(question, sent_ms), shown.members, seal)
        _, body = await self._transport.send(self._form.request.method, request, shown)
        if self._envelope is not None:
            return await asyncio.to_thread(self._read, question, body)
        return await read_aside(lambda: self._read(question, body), len(body))

    def _read(self, question: Question, body: bytes) -> Reply:
        clear = self._envelope.open(body, question, self._transport.now_ms()) if self._envelope else body
        return read_reply(self._form.answer, clear, self._now())
