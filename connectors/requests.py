"""A department's HTTP request as configured, and its refusal where it would leak, ask too much or not say who asks."""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from connectors.authentication import HeaderName
from connectors.contract import Question
from connectors.markup import read_xml
from connectors.route import Place
from connectors.templates import fill, fill_xml, names_person, placeholders, values
from connectors.trouble import DepartmentError
from policies.vocabulary import Item

_PRINTABLE: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")


class Forward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The headers that tell the department which call this is, who asks, for what, and under whose consent."""

    call: HeaderName = "X-Broker-Call"
    requester: HeaderName = "X-Broker-Requester"
    operator: HeaderName = "X-Broker-Operator"
    matter: HeaderName = "X-Broker-Matter"
    case: HeaderName = "X-Broker-Case"
    consent: HeaderName = "X-Broker-Consent"


class RequestForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent: exactly one body for POST, none for GET."""

    method: Literal["GET", "POST"]
    url: str
    query: dict[str, str] = {}
    headers: dict[HeaderName, str] = {}
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None
    xml: str | None = None
    forward: Forward = Forward()
    insecure: Annotated[str, msgspec.Meta(max_length=300)] = ""
    """Why plain http to another machine must be lived with; without a reason it is refused."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request ready to be sent, but for the gateway's own headers."""

    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


def outgoing(form: RequestForm, question: Question, now_ms: int) -> Outgoing:
    """Return the request for this question. Raise DepartmentError where a value cannot be written in the body."""
    filling = values(question, now_ms)
    headers = {name: quote(value, safe=_PRINTABLE) for name, value in fill(form.headers, filling).items()}
    for member, header in msgspec.structs.asdict(form.forward).items():
        headers[header] = quote(filling[member], safe=_PRINTABLE)
    content_type, body = _body(form, filling)
    if content_type:
        headers["Content-Type"] = content_type
    return Outgoing(form.url, fill(form.query, filling), headers, body)


def _body(form: RequestForm, filling: Mapping[str, str]) -> tuple[str, bytes | None]:
    if form.json is not None:
        return "application/json", json.dumps(fill(form.json, filling), ensure_ascii=False).encode()
    if form.form is not None:
        return "application/x-www-form-urlencoded", urlencode(fill(form.form, filling)).encode()
    if form.xml is not None:
        return "text/xml; charset=utf-8", fill_xml(form.xml, filling).encode()
    return "", None


def check_request(form: RequestForm, item: Item, place: Place) -> None:
    """Raise ConfigurationError for a request that must not be sent."""
    _check_url(form, place)
    bodies = [name for name in ("json", "form", "xml") if getattr(form, name) is not None]
    if len(bodies) != (1 if form.method == "POST" else 0):
        raise place.error("POST has exactly one of json, form and xml; GET has none of them")
    used = placeholders(form.headers, item, place.at("headers"))
    for body in bodies:
        used |= placeholders(getattr(form, body), item, place.at(body))
    in_url = placeholders(form.query, item, place.at("query"))
    if names_person(in_url):
        raise place.at("query").error("a person never stands in a URL; proxies write URLs down")
    if "person.id_number" not in used:
        raise place.error("the request never names {person.id_number}: whose records would come back?")
    for name in item.parameters:
        if f"param.{name}" not in used | in_url:
            raise place.error(f"parameter {name!r} is not sent: the department would return more than was agreed")
    if form.xml is not None:
        _check_xml(form.xml, used, place.at("xml"))


def _check_url(form: RequestForm, place: Place) -> None:
    try:
        parts = urlsplit(form.url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise place.at("url").error("this is no URL") from None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.password is not None:
        raise place.at("url").error("the URL is http or https with a host and without a user")
    if parts.query or parts.fragment or set("{}") & set(form.url):
        raise place.at("url").error("the URL has no query, fragment or placeholder; use `query`")
    if parts.scheme == "http" and not _loopback(host) and not form.insecure.strip():
        raise place.at("url").error("plain http to another machine needs `insecure: <reason>`")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_xml(template: str, used: frozenset[str], place: Place) -> None:
    try:
        read_xml(fill_xml(template, dict.fromkeys(used, "x")))
    except DepartmentError as trouble:
        raise place.error(f"the template is not well-formed XML: {trouble.code}") from None
