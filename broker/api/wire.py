"""Reading what callers send and writing what they get: sizes, types and strict JSON in one place."""

from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from audit.batch import Recorded, Transaction
from broker.exchange import receipt_members
from broker.login import Session, find_session, require
from broker.requesters import VerifiedRequest, may_call, member_of, spend_jti
from broker.wiring import Broker
from consent import jws
from consent.jws import read_object
from policies.refusals import Code, Refusal, Refused, TokenRole

T = TypeVar("T")

JSON_LIMIT: Final = 16 * 1024
FIELDS_LIMIT: Final = 20
"""Of a form; ours have three."""
NO_STORE: Final = {"Cache-Control": "no-store"}


class NoMembers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token's body that has no members of its own."""


class ClientAuthentication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members of a `client-authentication+jwt`: the method and address it is for."""

    htm: str
    htu: str


def broker_of(request: Request) -> Broker:
    broker: Broker = request.app.state.broker
    return broker


async def read_text(request: Request, limit: int, media_type: str) -> str:
    """The body as ASCII text. Raises Refused(unsupported_media_type | too_large | malformed_token)."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE)
    raw = await _read_bytes(request, limit)
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise Refused(Code.MALFORMED_TOKEN, TokenRole.REQUEST) from error


async def read_members(request: Request, kind: type[T], *, empty: bytes = b"") -> T:
    """A strict JSON body of exactly these members; `empty` is read where none was sent.

    Raises Refused(invalid_request | unsupported_media_type | too_large).
    """
    raw = await _read_bytes(request, JSON_LIMIT)
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != "application/json" and (raw or not empty):
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE)
    members = read_object(raw or empty, _invalid)
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise Refused(Code.INVALID_REQUEST, member=member_of(error)) from error


async def read_posted(request: Request, limit: int) -> bytes:
    """A JSON body as it came, for whoever verifies a signature over it. Raises Refused as read_members does."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != "application/json":
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE)
    return await _read_bytes(request, limit)


async def read_fields(request: Request) -> dict[str, str]:
    """A form's fields, each at most once. Raises Refused(invalid_request | unsupported_media_type | too_large)."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != "application/x-www-form-urlencoded":
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE)
    raw = await _read_bytes(request, JSON_LIMIT)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST) from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refused(Code.INVALID_REQUEST)
    return fields


async def authenticate(request: Request) -> VerifiedRequest[ClientAuthentication]:
    """A requester's own read: a Bearer `client-authentication+jwt` for exactly this method and address, spent once."""
    broker = broker_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(Code.MALFORMED_TOKEN)
    verified = broker.requester_keys.verify(
        token.strip(),
        profile=jws.REQUEST,
        typ="client-authentication+jwt",
        body=ClientAuthentication,
        audience=broker.settings.issuer,
        now=broker.now(),
    )
    # The address is built from what we are configured to be, never from the caller's Host header
    if (verified.body.htm, verified.body.htu) != (request.method, broker.settings.issuer + request.scope["path"]):
        raise Refused(Code.WRONG_AUDIENCE, TokenRole.REQUEST)
    refusal = (await broker.storage.record(lambda transaction: _spend(transaction, verified))).value
    if refusal is not None:
        raise Refused.because(refusal)
    return verified


async def session_of(request: Request) -> Session:
    """The session, however little sure: for signing out and for stepping up. Raises Refused(not_signed_in)."""
    broker = broker_of(request)
    secret = request.cookies.get(cookie_name(broker), "")
    return await broker.storage.read(lambda connection: find_session(connection, secret, broker.now()))


async def signed_in(request: Request) -> Session:
    """A session sure enough to read. Raises Refused(not_signed_in | step_up_required)."""
    session = await session_of(request)
    require(session, broker_of(request).settings.assurance.browse)
    return session


async def changing(request: Request) -> Session:
    """The session of a call that changes something: it must come from our own pages (Origin)."""
    same_origin(request)
    return await signed_in(request)


def same_origin(request: Request) -> None:
    """Raises Refused(forbidden) where a changing call does not come from the citizens' own pages."""
    if request.headers.get("origin") != broker_of(request).settings.citizens:
        raise Refused(Code.FORBIDDEN)


def reads_english(request: Request) -> bool:
    """Whether the caller asks for English before anything else; Chinese otherwise."""
    return request.headers.get("accept-language", "").lower().startswith("en")


def cookie_name(broker: Broker) -> str:
    # A __Host- cookie cannot be set by a sister domain; browsers take it under https only
    return "__Host-broker_session" if broker.settings.secure else "broker_session"


def reply(members: Any, status: int = 200) -> Response:
    """A JSON answer that nobody may keep."""
    return Response(msgspec.json.encode(members), status, NO_STORE, "application/json")


def receipts(recorded: Recorded[Any]) -> dict[str, Any]:
    """The receipt of the last entry that a unit of work appended."""
    return dict(receipt_members(recorded.receipt(recorded.entries[-1])))


async def _read_bytes(request: Request, limit: int) -> bytes:
    received = bytearray()
    try:
        async for chunk in request.stream():
            received += chunk
            if len(received) > limit:
                raise Refused(Code.TOO_LARGE)
    except ClientDisconnect as error:  # gone by itself, or too slow: broker/slow_clients.py
        raise Refused(Code.INVALID_REQUEST) from error
    return bytes(received)


def _spend(transaction: Transaction, verified: VerifiedRequest[Any]) -> Refusal | None:
    if not spend_jti(transaction, verified):
        return Refusal(Code.REPLAYED, TokenRole.REQUEST)
    may = may_call(transaction.connection, verified.requester, verified.kid)
    return may if isinstance(may, Refusal) else None


def _invalid() -> NoReturn:
    raise Refused(Code.INVALID_REQUEST)
