"""Signing in. The test sign-in takes anybody's word, so it exists only where the address stays on this machine."""

import msgspec
from fastapi import APIRouter, Request, Response

from audit.batch import Transaction
from broker.api import wire
from broker.assurance import LEVELS
from broker.filing import FiledPerson, read_person
from broker.login import (
    SESSION_LIFE,
    Assurance,
    Identified,
    Method,
    Session,
    begin_session,
    end_session,
    sign_out_everywhere,
)
from broker.wiring import Broker
from consent import subjects
from policies.refusals import Code, Refused

router = APIRouter(tags=["citizens"])


class TestSignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who the tester wants to be, and how surely identified: 1 to 3, or low, substantial, high."""

    name: str
    id_number: str
    level: int | str = "high"


@router.post("/v1/session/test")
async def sign_in_as_anybody(request: Request) -> Response:
    """Only where `identity: test` is set, which settings refuse off loopback. 204 and the cookie."""
    broker = wire.broker_of(request)
    wire.same_origin(request)
    secret = await begin_test_session(broker, await wire.read_members(request, TestSignIn))
    response = Response(status_code=204, headers=wire.NO_STORE)
    set_session_cookie(response, broker, secret)
    return response


@router.delete("/v1/session")
async def sign_out(request: Request) -> Response:
    """End this session. 204, and the cookie goes."""
    return await _signed_out(request, everywhere=False)


@router.delete("/v1/sessions")
async def sign_out_of_all(request: Request) -> Response:
    """End every session of mine, on all devices."""
    return await _signed_out(request, everywhere=True)


async def _signed_out(request: Request, *, everywhere: bool) -> Response:
    wire.same_origin(request)
    broker = wire.broker_of(request)
    await end_session_of(broker, await wire.session_of(request), everywhere=everywhere)
    response = Response(status_code=204, headers=wire.NO_STORE)
    forget_session_cookie(response, broker)
    return response


async def end_session_of(broker: Broker, session: Session, *, everywhere: bool) -> None:
    """Sign out, here or on all devices."""
    end = sign_out_everywhere if everywhere else end_session
    await broker.storage.record(lambda transaction: end(transaction, session))


async def begin_test_session(broker: Broker, given: TestSignIn) -> str:
    """The new session's secret. Raises Refused(not_found) where there is no test identity, or invalid_request."""
    if not broker.settings.test_identity:
        raise Refused(Code.NOT_FOUND)
    person = read_person(FiledPerson(given.name, given.id_number))
    level = _level(given.level)

    def work(transaction: Transaction) -> str:
        subject_ref = subjects.sign_in(transaction, broker.keys.subjects, person)
        who = Identified(subject_ref=subject_ref, method=Method.TEST, assurance=level)
        return begin_session(transaction, who)

    return (await broker.storage.record(work)).value


def set_session_cookie(response: Response, broker: Broker, secret: str) -> None:
    response.set_cookie(
        wire.cookie_name(broker),
        secret,
        max_age=SESSION_LIFE,
        path="/",
        secure=broker.settings.secure,
        httponly=True,
        samesite="lax",
    )


def forget_session_cookie(response: Response, broker: Broker) -> None:
    response.delete_cookie(
        wire.cookie_name(broker), path="/", secure=broker.settings.secure, httponly=True, samesite="lax"
    )


def _level(given: int | str) -> Assurance:
    found = LEVELS.get(given) if isinstance(given, str) else None
    if found is None and given in list(Assurance):
        found = Assurance(int(given))
    if found is None:
        raise Refused(Code.INVALID_REQUEST, member="level")
    return found
