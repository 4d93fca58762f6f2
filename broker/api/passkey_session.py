"""/v1/session/passkey: signing in without typing, and stepping up in the midst of a session."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from audit.batch import Transaction
from broker import ceremonies, passkeys
from broker.api import wire
from broker.api.session import set_session_cookie
from broker.ceremonies import Purpose
from broker.login import Assurance, Identified, Method, Session, begin_session, raise_session
from broker.wiring import Broker
from consent import assertions
from consent import passkeys as kept
from consent.assertions import VerifiedAssertion

router = APIRouter(prefix="/v1/session/passkey", tags=["citizens"])


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `navigator.credentials.get()` gave (AuthenticationResponseJSON)."""

    credential: dict[str, Any]


@router.post("/options")
async def options(request: Request) -> Response:
    """A challenge for whichever passkey the person picks."""
    wire.same_origin(request)
    broker = wire.broker_of(request)
    site = passkeys.site_of(broker.settings)
    recorded = await broker.storage.record(
        lambda transaction: ceremonies.begin(transaction, Purpose.SIGN_IN, None),
    )
    return wire.reply(passkeys.request_options(site, recorded.value))


@router.post("")
async def sign_in(request: Request) -> Response:
    """204 and the cookie. The session is as sure as the one in which the passkey was registered."""
    wire.same_origin(request)
    broker = wire.broker_of(request)
    given = (await wire.read_members(request, Answer)).credential
    site, challenge = passkeys.site_of(broker.settings), assertions.unverified_challenge(given)
    verified = await broker.storage.read(
        lambda connection: passkeys.verify_anybodys(connection, site, given, challenge)
    )

    def work(transaction: Transaction) -> str:
        ceremonies.spend(transaction, Purpose.SIGN_IN, None, challenge)
        kept.use(transaction, verified.passkey, verified.sign_count)
        return begin_session(transaction, _identified(verified))

    return _with_cookie(broker, (await broker.storage.record(work)).value)


@router.post("/step-up/options")
async def step_up_options(request: Request) -> Response:
    """A challenge for one of her own passkeys. Refused(step_up_required) where she has none."""
    wire.same_origin(request)
    session = await wire.session_of(request)
    broker = wire.broker_of(request)
    site = passkeys.site_of(broker.settings)

    def work(transaction: Transaction) -> dict[str, Any]:
        allowed = passkeys.hers(transaction.connection, session.subject_ref)
        return passkeys.request_options(site, ceremonies.begin(transaction, Purpose.STEP_UP, session), allowed)

    return wire.reply((await broker.storage.record(work)).value)


@router.post("/step-up")
async def step_up(request: Request) -> Response:
    """204 and a new cookie: the former session ends with it."""
    wire.same_origin(request)
    session = await wire.session_of(request)
    broker = wire.broker_of(request)
    given = (await wire.read_members(request, Answer)).credential
    site, challenge = passkeys.site_of(broker.settings), assertions.unverified_challenge(given)
    verified = await broker.storage.read(
        lambda connection: passkeys.verify_hers(connection, site, session, given, challenge)
    )

    def work(transaction: Transaction) -> str:
        ceremonies.spend(transaction, Purpose.STEP_UP, session, challenge)
        kept.use(transaction, verified.passkey, verified.sign_count)
        return raise_session(transaction, session, _identified(verified, session))

    return _with_cookie(broker, (await broker.storage.record(work)).value)


def _identified(verified: VerifiedAssertion, session: Session | None = None) -> Identified:
    before = session.assurance if session is not None else Assurance.LOW
    return Identified(
        subject_ref=verified.passkey.subject_ref,
        method=Method.PASSKEY,
        assurance=Assurance(max(before, verified.passkey.assurance)),
        passkey=verified.passkey.id,
    )


def _with_cookie(broker: Broker, secret: str) -> Response:
    response = Response(status_code=204, headers=wire.NO_STORE)
    set_session_cookie(response, broker, secret)
    return response
