"""Signing in, locking and unlocking: a named clerk at a named window."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from broker.desk import clerks, sessions
from broker.desk.clerks import Clerk
from broker.desk.refusals import Refused, Why
from broker.desk.rendering import page, problem, see
from broker.desk.visits import (
    at_window,
    changing,
    cookie_name,
    desk_of,
    query_of,
    read_form,
    same_origin,
    wants_json,
)
from broker.desk.wiring import Desk


async def front(request: Request) -> Response:
    return RedirectResponse("/cases" + query_of(request), 303)


async def ask(request: Request) -> Response:
    return page(request, "sign_in.html", desks=desk_of(request).settings.desks)


async def sign_in(request: Request) -> Response:
    same_origin(request)
    desk, form = desk_of(request), await read_form(request)
    if form.one("desk") not in desk.settings.desks:
        raise Refused(Why.INVALID, "desk")
    number, pin, now = form.one("number"), form.one("pin"), desk.now()
    try:
        clerk = await _identify(desk, number, pin, now)
    except Refused as refused:
        return _again(request, desk, refused)
    secret = await desk.store.run(lambda connection: sessions.begin(connection, clerk, form.one("desk"), now))
    response = see(request, "/cases")
    response.set_cookie(cookie_name(desk), secret, secure=desk.settings.secure, httponly=True, samesite="strict")
    return response


async def sign_out(request: Request) -> Response:
    """Also from a locked window: the next clerk signs in as herself."""
    same_origin(request)
    visit = await at_window(request)
    await visit.desk.store.run(lambda connection: sessions.end(connection, visit.session))
    response = see(request, "/sign-in")
    response.delete_cookie(cookie_name(visit.desk), secure=visit.desk.settings.secure, httponly=True, samesite="strict")
    return response


async def lock(request: Request) -> Response:
    same_origin(request)
    visit = await at_window(request)
    await visit.desk.store.run(lambda connection: sessions.lock(connection, visit.session))
    return see(request, "/cases")


async def unlock(request: Request) -> Response:
    """The window's own clerk, by her PIN; a colleague's does not open it."""
    same_origin(request)
    visit, form = await at_window(request), await read_form(request)
    pin, now = form.one("pin"), visit.desk.now()
    try:
        await _identify(visit.desk, visit.session.clerk.number, pin, now)
    except Refused as refused:
        return locked(request, visit.session, refused)
    await visit.desk.store.run(lambda connection: sessions.unlock(connection, visit.session, now))
    back = form.one("back")
    return see(request, back if back.startswith("/cases") and "\\" not in back and "?" not in back else "/cases")


async def awake(request: Request) -> Response:
    """A key was pressed on a page that sends nothing by itself."""
    await changing(request)
    return Response(status_code=204)


def locked(request: Request, session: sessions.Session, mistake: Refused | None = None) -> Response:
    """What stands instead of any page while the window is locked."""
    status = mistake.status if mistake is not None else Refused(Why.LOCKED).status
    if wants_json(request):
        return problem(request, mistake or Refused(Why.LOCKED))
    path = request.scope["path"]
    back = path if request.method == "GET" and path.startswith("/cases") else "/cases"
    return page(request, "locked.html", status=status, clerk=session.clerk, back=back, mistake=mistake)


def not_signed_in(request: Request, refused: Refused) -> Response:
    """The way to sign in; a program is told with a status."""
    if wants_json(request) or request.method != "GET":
        return problem(request, refused)
    return see(request, "/sign-in")


async def _identify(desk: Desk, number: str, pin: str, now: int) -> Clerk:
    async with desk.hashing:
        return await clerks.identify(desk.store, number, pin, now)


def _again(request: Request, desk: Desk, mistake: Refused) -> Response:
    if wants_json(request):
        return problem(request, mistake)
    return page(request, "sign_in.html", status=mistake.status, desks=desk.settings.desks, mistake=mistake)
