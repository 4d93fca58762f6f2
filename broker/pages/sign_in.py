"""/sign-in, /sign-out and /text-size: the forms that stand on any of the citizen's pages, and lead back to it."""

import contextlib
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.api.session import (
    TestSignIn,
    begin_test_session,
    end_session_of,
    forget_session_cookie,
    set_session_cookie,
)
from broker.assurance import LEVELS
from broker.pages import text_size
from broker.pages.citizens import PAGE, CitizenRoute, placed_at, refused_page, see, stopped_page
from broker.pages.rendering import language_of
from broker.pages.ways import ways_on
from policies.refusals import Code, Refusal, Refused

router = APIRouter(tags=["citizens"], route_class=CitizenRoute)

A_YEAR: Final = 365 * 24 * 3600


@router.get("/sign-in")
async def ask_to_sign_in(request: Request) -> Response:
    """The ways to sign in, or with `step` (a level) to prove oneself again; then back to the page `back`."""
    query = request.query_params
    level = query.get("step", "")
    refusal = Refusal(Code.STEP_UP_REQUIRED, member=level) if level in LEVELS else Refusal(Code.NOT_SIGNED_IN)
    placed = placed_at(request, back_of(query), language_of(request))
    return stopped_page(placed, refusal, await ways_on(placed, refusal), status=200)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End this session, or with `everywhere` all of hers; whoever has none is signed out already."""
    wire.same_origin(request)
    broker = wire.broker_of(request)
    everywhere = (await wire.read_fields(request)).get("everywhere") == "yes"
    with contextlib.suppress(Refused):
        await end_session_of(broker, await wire.session_of(request), everywhere=everywhere)
    refusal = Refusal(Code.NOT_SIGNED_IN)
    placed = placed_at(request, "/me", language_of(request))
    response = stopped_page(placed, refusal, await ways_on(placed, refusal), left=True, status=200)
    forget_session_cookie(response, broker)
    return response


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """The test sign-in as a plain form; back to where the person was."""
    wire.same_origin(request)
    broker = wire.broker_of(request)
    fields = await wire.read_fields(request)
    given = TestSignIn(fields.get("name", ""), fields.get("id_number", "").upper(), fields.get("level", "high"))
    try:
        secret = await begin_test_session(broker, given)
    except Refused as error:
        if error.refusal.code is not Code.INVALID_REQUEST:
            raise
        placed = placed_at(request, back_of(fields), language_of(request))  # the form stands where it was sent from
        return await refused_page(placed, error.refusal, mistake=True)
    response = see(request, back_of(fields))
    set_session_cookie(response, broker, secret)
    return response


@router.post("/text-size")
async def choose_text_size(request: Request) -> Response:
    """One of the large version's steps; anything else is the standard version."""
    wire.same_origin(request)
    fields = await wire.read_fields(request)
    response = see(request, back_of(fields))
    size = text_size.read(fields.get("size", ""))
    if size is None:
        response.delete_cookie(text_size.COOKIE)
    else:
        secure = wire.broker_of(request).settings.secure
        response.set_cookie(text_size.COOKIE, str(size), max_age=A_YEAR, secure=secure, httponly=True, samesite="lax")
    return response


def back_of(fields: Mapping[str, str]) -> str:
    """Only ever one of our own pages, whatever a form or an address says."""
    back = fields.get("back", "")
    return back if PAGE.fullmatch(back) else "/me"
