"""/sign-in and /text-size: the forms that stand on any of the citizen's pages, and lead back to it."""

from typing import Final

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.api.session import TestSignIn, begin_test_session, set_session_cookie
from broker.pages.citizens import PAGE, CitizenRoute, refused_page, see
from broker.pages.rendering import LARGE
from policies.refusals import Code, Refused

router = APIRouter(tags=["citizens"], route_class=CitizenRoute)

A_YEAR: Final = 365 * 24 * 3600


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
        request.scope["path"] = _back(fields)  # the form stands where it was sent from
        return refused_page(request, error.refusal, mistake=True)
    response = see(request, _back(fields))
    set_session_cookie(response, broker, secret)
    return response


@router.post("/text-size")
async def choose_text_size(request: Request) -> Response:
    """The large version, on or off."""
    wire.same_origin(request)
    fields = await wire.read_fields(request)
    name, large = LARGE
    response = see(request, _back(fields))
    if fields.get("size") == large:
        secure = wire.broker_of(request).settings.secure
        response.set_cookie(name, large, max_age=A_YEAR, secure=secure, httponly=True, samesite="lax")
    else:
        response.delete_cookie(name)
    return response


def _back(fields: dict[str, str]) -> str:
    """Only ever one of our own pages, whatever a form says."""
    back = fields.get("back", "")
    return back if PAGE.fullmatch(back) else "/me"
