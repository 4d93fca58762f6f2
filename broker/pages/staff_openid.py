"""/staff/openid and /staff/return: to the identity provider and back, for whoever has a role here."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from audit.batch import Transaction
from broker import sign_ins
from broker.api import wire
from broker.login import Method
from broker.openid import Asking, OpenidProvider
from broker.pages.openid import returned
from broker.pages.rendering import language_of, page_of_forms
from broker.pages.staff_gate import refused_page, set_cookie
from broker.sign_ins import Wanted
from broker.staff import people, sessions
from broker.staff.sessions import NEEDED
from broker.wiring import Broker
from policies.refusals import Code, Refused

router = APIRouter(prefix="/staff", tags=["staff"])


@router.get("/openid")
async def go(request: Request) -> Response:
    """To the provider, which has to identify the person anew and as surely as can be."""
    broker = wire.broker_of(request)
    browser = request.cookies.get(_cookie_name(broker)) or sign_ins.new_browser()
    try:
        address = await _address(broker, browser, str(language_of(request)))
    except Refused as error:
        return refused_page(request, error.refusal)
    response = RedirectResponse(address, 303, wire.NO_STORE)
    secure = broker.settings.staff_secure
    response.set_cookie(
        _cookie_name(broker), browser, max_age=sign_ins.LIFE, path="/", secure=secure, httponly=True, samesite="lax"
    )
    return response


@router.get("/return")
async def come_back(request: Request) -> Response:
    """From the provider: a session for somebody who has a role, or why not."""
    broker = wire.broker_of(request)
    provider = _provider(broker)
    try:
        secret = await _begin(request, broker, provider)
    except Refused as error:
        refusal = error.refusal
        broker.telemetry.log.warning("staff sign-in refused", code=str(refusal.code), reason=refusal.member)
        return refused_page(request, refusal)
    # A redirect out of another site's page would carry no strict cookie: this page leads on by itself
    response = page_of_forms("staff_in.html", request, staff=None)
    response.headers["Refresh"] = "0; url=/staff"
    set_cookie(response, broker, secret)
    return response


async def _address(broker: Broker, browser: str, lang: str) -> str:
    provider = _provider(broker)
    wanted = Wanted(back="/staff", lang=lang, max_age=0, level=int(NEEDED))
    state = (await broker.storage.record(lambda transaction: sign_ins.begin(transaction, browser, wanted))).value
    asking = Asking(
        state=state,
        nonce=sign_ins.nonce_of(browser, state),
        verifier=sign_ins.verifier_of(browser, state),
        max_age=0,
        level=NEEDED,
        lang=lang,
    )
    return await provider.address(asking)


async def _begin(request: Request, broker: Broker, provider: OpenidProvider) -> str:
    state, browser = request.query_params.get("state", ""), request.cookies.get(_cookie_name(broker), "")
    began = (await broker.storage.record(lambda transaction: sign_ins.spend(transaction, state, browser))).value
    proven = await provider.identify(await returned(request, provider, began, browser, state))

    def work(transaction: Transaction) -> str:
        member = people.identified(transaction.connection, broker.keys.subjects, proven.person.id_number)
        return sessions.begin(transaction, member, Method.OPENID, proven.assurance)

    return (await broker.storage.record(work)).value


def _provider(broker: Broker) -> OpenidProvider:
    if broker.staff_provider is None:
        raise Refused(Code.NOT_FOUND)
    return broker.staff_provider


def _cookie_name(broker: Broker) -> str:
    return "__Host-broker_staff_browser" if broker.settings.staff_secure else "broker_staff_browser"
