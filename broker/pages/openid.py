"""/sign-in/openid and /sign-in/return: to the identity provider and back to the page where the person was."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from audit.batch import Transaction
from broker import sign_ins
from broker.api import wire
from broker.api.session import set_session_cookie
from broker.assurance import LEVELS
from broker.login import SESSION_LIFE, Identified, Method, Session, begin_session, raise_session, step_up_to
from broker.login import Assurance as Level
from broker.openid import Asking, OpenidProvider, Proven, Returned
from broker.pages.citizens import CitizenRoute, placed_at, refused_page, see
from broker.pages.rendering import language_of
from broker.pages.sign_in import back_of
from broker.sign_ins import SignIn, Wanted
from broker.wiring import Broker
from consent import subjects
from policies.refusals import Code, Refused

router = APIRouter(tags=["citizens"], route_class=CitizenRoute)

LATER: Final = ("temporarily_unavailable", "server_error")
"""Errors of a provider that is in trouble itself (RFC 6749, section 4.1.2.1)."""


@router.get("/sign-in/openid")
async def go(request: Request) -> Response:
    """To the provider. `step` raises this session to a level, `again` asks for a person to prove herself anew."""
    broker = wire.broker_of(request)
    provider = _provider(broker)
    wanted, level = await _wanted(request)
    browser = request.cookies.get(_cookie_name(broker)) or sign_ins.new_browser()
    state = (await broker.storage.record(lambda transaction: sign_ins.begin(transaction, browser, wanted))).value
    asking = Asking(
        state=state,
        nonce=sign_ins.nonce_of(browser, state),
        verifier=sign_ins.verifier_of(browser, state),
        max_age=wanted.max_age,
        level=level,
        lang=wanted.lang,
    )
    try:
        address = await provider.address(asking)
    except Refused as error:
        return await refused_page(placed_at(request, wanted.back, wanted.lang), error.refusal)
    response = RedirectResponse(address, 303, wire.NO_STORE)
    _set_browser_cookie(response, broker, browser)
    return response


@router.get("/sign-in/return")
async def come_back(request: Request) -> Response:
    """From the provider: a session, or why not; the address with its code is left at once."""
    broker = wire.broker_of(request)
    provider = _provider(broker)
    state, browser = request.query_params.get("state", ""), request.cookies.get(_cookie_name(broker), "")
    # Spent before anything of the answer is looked at: whatever it is, it cannot be tried twice
    began = (await broker.storage.record(lambda transaction: sign_ins.spend(transaction, state, browser))).value
    placed = placed_at(request, began.back, began.lang)
    try:
        proven = await provider.identify(await returned(request, provider, began, browser, state))
        secret = await _begin(request, broker, began, proven)
    except Refused as error:
        refusal = error.refusal
        broker.telemetry.log.warning("sign-in refused", code=str(refusal.code), reason=refusal.member)
        return await refused_page(placed, refusal)
    response = see(placed, began.back)
    set_session_cookie(response, broker, secret)
    return response


async def _wanted(request: Request) -> tuple[Wanted, Level]:
    """What the sign-in is for, and the level to ask for."""
    broker, query = wire.broker_of(request), request.query_params
    back, lang = back_of(query), str(language_of(request))
    step = LEVELS.get(query.get("step", ""))
    if step is None:
        max_age = 0 if query.get("again") else SESSION_LIFE
        return Wanted(back=back, lang=lang, max_age=max_age), broker.settings.assurance.sign
    session = await wire.session_of(request)
    return Wanted(back=back, lang=lang, session=session, level=step, max_age=0), step


async def returned(request: Request, provider: OpenidProvider, began: SignIn, browser: str, state: str) -> Returned:
    """The answer's parameters, each once. Raises Refused where they bring no code."""
    query = request.query_params
    repeated = any(len(query.getlist(name)) > 1 for name in ("code", "iss", "error", "state"))
    if repeated:
        raise Refused(Code.SIGN_IN_FAILED, member="repeated")
    if (error := query.get("error")) is not None:
        await provider.check_issuer(query.get("iss"))
        raise Refused(Code.PROVIDER_UNAVAILABLE if error in LATER else Code.SIGN_IN_DENIED)
    return Returned(
        code=query.get("code", ""),
        iss=query.get("iss"),
        verifier=sign_ins.verifier_of(browser, state),
        nonce=sign_ins.nonce_of(browser, state),
        authenticated_after=began.authenticated_after,
    )


async def _begin(request: Request, broker: Broker, began: SignIn, proven: Proven) -> str:
    """The secret of a new session, or of the one that takes the raised one's place."""
    raised = await _session_to_raise(request, began)
    if proven.assurance < began.level:
        raise step_up_to(Level(began.level))

    def work(transaction: Transaction) -> str:
        subject_ref = subjects.sign_in(transaction, broker.keys.subjects, proven.person)
        who = Identified(subject_ref=subject_ref, method=Method.OPENID, assurance=proven.assurance, at=proven.at)
        return begin_session(transaction, who) if raised is None else raise_session(transaction, raised, who)

    return (await broker.storage.record(work)).value


async def _session_to_raise(request: Request, began: SignIn) -> Session | None:
    if began.session_hash is None:
        return None
    session = await wire.session_of(request)
    if session.id_hash != began.session_hash:
        raise Refused(Code.SIGN_IN_EXPIRED)
    return session


def _provider(broker: Broker) -> OpenidProvider:
    if broker.provider is None:
        raise Refused(Code.NOT_FOUND)
    return broker.provider


def _cookie_name(broker: Broker) -> str:
    return "__Host-broker_browser" if broker.settings.secure else "broker_browser"


def _set_browser_cookie(response: Response, broker: Broker, browser: str) -> None:
    response.set_cookie(
        _cookie_name(broker),
        browser,
        max_age=sign_ins.LIFE,
        path="/",
        secure=broker.settings.secure,
        httponly=True,
        samesite="lax",
    )
