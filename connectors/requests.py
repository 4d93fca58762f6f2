"""A department's HTTP request as configured, and its refusal where it would leak, ask too much or not say who asks."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from connectors.authentication import HeaderName
from connectors.clear_secrets import refuse_clear_secrets
from connectors.markup import read_xml
from connectors.route import Place
from connectors.templates import fill, fill_xml, names_person, number_of, placeholders
from connectors.trouble import DepartmentError
from policies.vocabulary import Item

TICKET: Final = frozenset({"ticket"})
"""What a follow-up request knows beside the question: the department's own number of it."""
_PRINTABLE: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "%")
_PLAIN: Final = re.compile(f"[{re.escape(_PRINTABLE)}]*")
_SPACED: Final = 0
"""On one line, with a space after each colon and comma."""


class Forward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The headers that tell the department which call this is, who asks, for what, and under whose consent."""

    call: HeaderName = "X-Broker-Call"
    requester: HeaderName = "X-Broker-Requester"
    operator: HeaderName = "X-Broker-Operator"
    matter: HeaderName = "X-Broker-Matter"
    case: HeaderName = "X-Broker-Case"
    consent: HeaderName = "X-Broker-Consent"


class Additional(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The object in which data platforms want to read who asks, for which case, and under whose consent."""

    content: dict[str, Any]
    at: str = "additional"
    as_text: bool = True
    """Whether a JSON body holds it as a JSON string; a form always does."""


class RequestForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sent: exactly one body for POST, none for GET."""

    method: Literal["GET", "POST"]
    url: str
    query: dict[str, str] = {}
    headers: dict[HeaderName, str] = {}
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None
    xml: str | None = None
    additional: Additional | None = None
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


@dataclass(frozen=True, slots=True)
class Sealed:
    """A request's members in an envelope."""

    content_type: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


Sealing: TypeAlias = Callable[[Mapping[str, Any]], Sealed]


def outgoing(
    form: RequestForm,
    filling: Mapping[str, str],
    members: Mapping[str, str] | None = None,
    seal: Sealing | None = None,
) -> Outgoing:
    """Return the request filled with these values, with further members in its body, sealed if told.

    Raise DepartmentError where a value cannot be written in the body.
    """
    headers: dict[str, str] = fill(form.headers, filling)
    for member in Forward.__struct_fields__:
        headers[getattr(form.forward, member)] = filling[member]
    if not _PLAIN.fullmatch("".join(headers.values())):
        headers = {name: quote(value, safe=_PRINTABLE) for name, value in headers.items()}
    content = _content(form, filling) | dict(members or {})
    body: bytes | None
    if seal is not None:
        sealed = seal(content)
        content_type, body = sealed.content_type, sealed.body
        headers |= sealed.headers
    else:
        content_type, body = _body(form, filling, content)
    if content_type:
        headers["Content-Type"] = content_type
    return Outgoing(form.url, fill(form.query, filling), headers, body)


def _content(form: RequestForm, filling: Mapping[str, str]) -> dict[str, Any]:
    """Return the members of a JSON or form body; none for XML and for GET."""
    content: dict[str, Any] = fill(form.json if form.json is not None else form.form or {}, filling)
    if form.additional is not None:
        told = fill(form.additional.content, filling)
        as_text = form.additional.as_text or form.json is None
        content[form.additional.at] = _json(told).decode() if as_text else told
    return content


def _json(content: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=_SPACED)


def _body(form: RequestForm, filling: Mapping[str, str], content: Mapping[str, Any]) -> tuple[str, bytes | None]:
    if form.json is not None:
        return "application/json", _json(content)
    if form.form is not None:
        return "application/x-www-form-urlencoded", urlencode(content).encode()
    if form.xml is not None:
        return "text/xml; charset=utf-8", fill_xml(form.xml, filling).encode()
    return "", None


def check_request(form: RequestForm, item: Item, place: Place) -> None:
    """Raise ConfigurationError for a request that must not be sent."""
    used, in_url = _used(form, item, place)
    if names_person(in_url):
        raise place.at("query").error("a person never stands in a URL; proxies write URLs down")
    if (number := number_of(item)) not in used:
        raise place.error(f"the request never names {{{number}}}: whose records would come back?")
    for name in item.parameters:
        if f"param.{name}" not in used | in_url:
            raise place.error(f"parameter {name!r} is not sent: the department would return more than was agreed")
    if form.xml is not None:
        check_xml(form.xml, used, place.at("xml"))


def _used(
    form: RequestForm, item: Item, place: Place, further: frozenset[str] = frozenset()
) -> tuple[frozenset[str], frozenset[str]]:
    """The placeholders in headers and body, and those in the URL, of a request that holds no secret in clear."""
    check_url(form.url, form.insecure, place.at("url"))
    bodies = [name for name in ("json", "form", "xml") if getattr(form, name) is not None]
    if len(bodies) != (1 if form.method == "POST" else 0):
        raise place.error("POST has exactly one of json, form and xml; GET has none of them")
    refuse_clear_secrets(form.query, place.at("query"))
    used: frozenset[str] = frozenset()
    if form.additional is not None:
        used |= _check_additional(form, form.additional, item, place.at("additional"))
    for part in ("headers", *bodies):
        refuse_clear_secrets(getattr(form, part), place.at(part))
        used |= placeholders(getattr(form, part), item, place.at(part), further)
    return used, placeholders(form.query, item, place.at("query"), further)


def _check_additional(form: RequestForm, additional: Additional, item: Item, place: Place) -> frozenset[str]:
    if form.json is None and form.form is None:
        raise place.error("`additional` stands in a JSON or form body")
    used = placeholders(additional.content, item, place.at("content"))
    for name in ("requester", "operator", "case", "consent"):
        if name not in used:
            raise place.at("content").error(f"it never tells {{{name}}}: the department could not check the call")
    return used


def check_url(url: str, insecure: str, place: Place) -> None:
    """Raise ConfigurationError for an address at which nobody must be asked."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise place.error("this is no URL") from None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or parts.password is not None:
        raise place.error("the URL is http or https with a host and without a user")
    if parts.query or parts.fragment or set("{}") & set(url):
        raise place.error("the URL has no query, fragment or placeholder; use `query`")
    if parts.scheme == "http" and not _loopback(host) and not insecure.strip():
        raise place.error("plain http to another machine needs `insecure: <reason>`")


def check_follow_up(form: RequestForm, item: Item, place: Place) -> None:
    """Raise ConfigurationError for a request about a ticket that names a person, or leaves the ticket out."""
    in_body, in_url = _used(form, item, place, TICKET)
    if names_person(in_body | in_url):
        raise place.error("the ticket is enough: a person is not named again")
    if not (in_body | in_url) & TICKET:
        raise place.error("the request never names {ticket}: whose answer would come back?")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_xml(template: str, used: frozenset[str], place: Place) -> None:
    """Raise ConfigurationError for a template that does not become XML."""
    try:
        read_xml(fill_xml(template, dict.fromkeys(used, "x")))
    except DepartmentError as trouble:
        raise place.error(f"the template is not well-formed XML: {trouble.code}") from None
