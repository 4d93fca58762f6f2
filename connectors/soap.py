"""A department behind SOAP 1.1: an envelope around a template, faults, and truth in a document inside the answer.

Many departments take one operation with texts as arguments: a registration code and a whole XML document, which their
answer holds too, with the business code inside. Document types, entities and external references are forbidden on
both levels (connectors/markup.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TypeAlias
from xml.sax.saxutils import quoteattr

import msgspec

from connectors.contract import Answer, Question
from connectors.gateways.credentials import Credentials
from connectors.http_wire import OK, meaning
from connectors.markup import read_xml
from connectors.memory import Memory
from connectors.paths import MISSING, look, path
from connectors.reading import SAYABLE, AnswerForm, read_aside, read_reply
from connectors.records import Reply, answer
from connectors.requests import RequestForm, check_url, check_xml, outgoing
from connectors.route import Place, check_records
from connectors.secret_files import Secret, read_secret
from connectors.status_checks import check_codes
from connectors.templates import fill_xml, number_of, placeholders, values
from connectors.transport import OverHttp, Sending, check_members, check_transport
from connectors.trouble import DepartmentError, garbled
from policies.vocabulary import Item, Outcome

_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{}</soap:Body></soap:Envelope>'
)
_PACKAGE: Final = "package"
_REGISTRATION: Final = "registration"
_FAULT_STATUS: Final = 500
_FAULTS: Final[Mapping[str, Outcome]] = {"Server": Outcome.DEPARTMENT_DOWN, "Client": Outcome.BAD_REQUEST}
"""SOAP 1.1 section 4.4.1: whose fault a fault is."""


class SoapRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operation's element; `{package}` in it is the inner document as text, `{registration}` a secret."""

    url: str
    action: Annotated[str, msgspec.Meta(max_length=200, pattern=r'^[^"\r\n]*$')]
    operation: str
    package: str = ""
    insecure: Annotated[str, msgspec.Meta(max_length=300)] = ""


class SoapRoute(OverHttp, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="soap"):
    """One way to a department's item over SOAP."""

    reads_only: ClassVar[bool] = True

    request: SoapRequest
    result_at: Annotated[str, msgspec.Meta(min_length=1)]
    """Where in the Body the text stands that holds the answer's own document."""
    answer: AnswerForm
    faults: Mapping[str, Outcome] = msgspec.field(default_factory=dict)
    """The department's own fault codes; the standard's Server and Client are known."""
    registration: str = ""
    """The secret that `{registration}` stands for."""


SoapMaker: TypeAlias = Callable[[Memory, Callable[[], datetime]], "SoapConnector"]


def check_soap(route: SoapRoute, item: Item, place: Place, secrets_folder: Path) -> SoapMaker:
    """Return what makes the connector. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    check_url(route.request.url, route.request.insecure, place.at("request", "url"))
    check_members(route.authentication, _plain(route), place.at("authentication"))
    if route.answer.format != "xml":
        raise place.at("answer", "format").error("the document inside a SOAP answer is xml")
    _check_templates(route, item, place.at("request"))
    check_codes(route.answer.status, place.at("answer", "status", "codes"))
    for code, outcome in route.faults.items():
        if outcome not in SAYABLE - {Outcome.NO_RECORD}:
            raise place.at("faults", code).error(f"a fault cannot mean {outcome.value!r}")
    connect = check_transport(route, place, secrets_folder)
    at = place.at("registration")
    registered = read_secret(secrets_folder, route.registration, at) if route.registration else None
    return lambda memory, now: SoapConnector(route, registered, connect(memory, now), now)


def _check_templates(route: SoapRoute, item: Item, place: Place) -> None:
    further = {_PACKAGE} if route.request.package else set()
    further |= {_REGISTRATION} if route.registration else set()
    used = placeholders(route.request.operation, item, place.at("operation"), frozenset(further))
    inner = placeholders(route.request.package, item, place.at("package"))
    if further - used:
        raise place.at("operation").error(f"{min(further - used)} is configured but stands nowhere")
    if (number := number_of(item)) not in used | inner:
        raise place.error(f"the request never names {{{number}}}: whose records would come back?")
    for name in item.parameters:
        if f"param.{name}" not in used | inner:
            raise place.error(f"parameter {name!r} is not sent: the department would return more than was agreed")
    check_xml(route.request.operation, used, place.at("operation"))
    if route.request.package:
        check_xml(route.request.package, inner, place.at("package"))


class SoapConnector:
    """Asks over one pool of connections."""

    def __init__(
        self, route: SoapRoute, registration: Secret | None, transport: Sending, now: Callable[[], datetime]
    ) -> None:
        self.route = route.name
        self._form = route
        self._registration = registration
        self._now = now
        self._transport = transport

    async def fetch(self, question: Question) -> Answer:
        """Ask once. Raises DepartmentError, OSError or TimeoutError where there is no usable answer."""
        reply = await self._transport.shown(partial(self._asked, question))
        return answer(self._form.records, question, self.route, reply)

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _asked(self, question: Question, shown: Credentials) -> Reply:
        filling = values(question, self._transport.now_ms())
        request = replace(outgoing(_plain(self._form), filling), body=self._envelope(filling).encode())
        action = {"SOAPAction": quoteattr(self._form.request.action)}
        request = replace(request, headers={**request.headers, **action})
        status, body = await self._transport.send("POST", request, shown, frozenset({OK, _FAULT_STATUS}))
        return await read_aside(lambda: self._read(status, body), len(body))

    def _read(self, status: int, body: bytes) -> Reply:
        return read_reply(self._form.answer, self._document(status, body), self._now())

    def _envelope(self, asked: Mapping[str, str]) -> str:
        filling = dict(asked)
        filling[_PACKAGE] = fill_xml(self._form.request.package, filling)
        filling[_REGISTRATION] = self._registration.text if self._registration is not None else ""
        return _ENVELOPE.format(fill_xml(self._form.request.operation, filling))

    def _document(self, status: int, body: bytes) -> bytes:
        """The inner document's bytes. Raises DepartmentError for a fault."""
        content = _body_of(status, body)
        fault = look(content, ("Fault",))
        if fault is not MISSING or status != OK:
            raise self._fault(fault)
        text = look(content, path(self._form.result_at))
        if not isinstance(text, str):
            raise garbled("result_missing")
        return text.encode(self._form.answer.charset)

    def _fault(self, fault: Any) -> DepartmentError:
        code = look(fault, ("faultcode",))
        name = code.rpartition(":")[2].strip() if isinstance(code, str) else ""
        outcome = self._form.faults.get(name) or _FAULTS.get(name.partition(".")[0], Outcome.GARBLED)
        return DepartmentError(outcome, f"fault_{name}")


def _body_of(status: int, body: bytes) -> Any:
    """The envelope's Body. A status of 500 without an envelope is a server in trouble, and no fault."""
    try:
        content = look(read_xml(body.decode()), ("Body",))
    except UnicodeDecodeError:
        content = MISSING
    except DepartmentError:
        if status == OK:
            raise
        content = MISSING
    if content is MISSING:
        raise garbled("no_soap_body") if status == OK else DepartmentError(meaning(status), f"http_{status}")
    return content


def _plain(route: SoapRoute) -> RequestForm:
    return RequestForm("POST", route.request.url, xml="", insecure=route.request.insecure)
