"""Signing in. The test sign-in takes anybody's word, so it exists only where the address stays on this machine."""

import msgspec
from fastapi import APIRouter, Request, Response

from audit.batch import Transaction
from broker.api import wire
from broker.filing import FiledSubject, read_person
from broker.login import SESSION_LIFE, Assurance, begin_session
from broker.wiring import Broker
from consent import subjects
from policies.refusals import Code, Refused

router = APIRouter(tags=["citizens"])

LEVELS = {"low": Assurance.LOW, "substantial": Assurance.SUBSTANTIAL, "high": Assurance.HIGH}


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


async def begin_test_session(broker: Broker, given: TestSignIn) -> str:
    """The new session's secret. Raises Refused(not_found) where there is no test identity, or invalid_request."""
    if not broker.settings.test_identity:
        raise Refused(Code.NOT_FOUND)
    person = read_person(FiledSubject(given.name, given.id_number))
    level = _level(given.level)

    def work(transaction: Transaction) -> str:
        subject_ref = subjects.sign_in(transaction, broker.keys.subjects, person)
        return begin_session(transaction, subject_ref, level)

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


def _level(given: int | str) -> Assurance:
    found = LEVELS.get(given) if isinstance(given, str) else None
    if found is None and given in list(Assurance):
        found = Assurance(int(given))
    if found is None:
        raise Refused(Code.INVALID_REQUEST, member="level")
    return found
