"""The ways in which this person, in this browser, could sign in or prove herself again."""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy import Connection

from broker import passkeys
from broker.api import wire
from broker.assurance import LEVELS
from broker.login import Session
from broker.pages.rendering import language_of
from broker.wiring import Broker
from consent.passkeys import standing_of
from policies.refusals import Code, Refusal, Refused


@dataclass(frozen=True, slots=True)
class Ways:
    """What the page offers."""

    test: bool
    provider: str
    """The query of /sign-in/openid but for the page to return to; with `offered` false there is no provider."""
    offered: bool
    passkey: str
    """`sign-in`, `step-up` or, where that is no way, empty."""
    signed_in: bool


async def ways_on(request: Request, refusal: Refusal) -> Ways:
    """What could mend this refusal."""
    broker = wire.broker_of(request)
    session = await _session(request)
    step_up = refusal.code is Code.STEP_UP_REQUIRED
    asked = {"step": refusal.member} if step_up and refusal.member in LEVELS else {}
    if refusal.code is Code.NOT_THE_SUBJECT:
        asked = {"again": "yes"}
    lang = {"lang": str(language_of(request))} if request.query_params.get("lang") else {}
    return Ways(
        test=broker.settings.test_identity,
        provider=urlencode(asked | lang),
        offered=broker.provider is not None,
        passkey=await _passkey(broker, session, refusal),
        signed_in=session is not None,
    )


async def _session(request: Request) -> Session | None:
    try:
        return await wire.session_of(request)
    except Refused:
        return None


async def _passkey(broker: Broker, session: Session | None, refusal: Refusal) -> str:
    if not passkeys.possible(broker.settings):
        return ""
    if refusal.code is not Code.STEP_UP_REQUIRED or session is None:
        return "sign-in"
    needed = LEVELS.get(refusal.member, 0)

    def work(connection: Connection) -> bool:
        return any(one.assurance >= needed for one in standing_of(connection, session.subject_ref))

    return "step-up" if await broker.storage.read(work) else ""
