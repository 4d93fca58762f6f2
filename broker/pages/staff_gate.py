"""The gate before every page and call of the staff: who it is, in which role, from which page.

A route says whom it is for where it is declared: `APIRouter(route_class=for_roles(Role.AUDITOR))`. The check runs
before the handler, so none can forget it; a route class without roles lets nobody in.
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ClassVar, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

from audit.batch import Transaction
from audit.errors import LedgerUnavailable
from audit.staff_events import StaffRefused
from broker.api import wire
from broker.pages.rendering import page_of_forms
from broker.pages.twins import form_of
from broker.problems import status_of
from broker.staff import sessions
from broker.staff.roles import Role
from broker.staff.sessions import StaffSession
from broker.wiring import Broker
from policies.refusals import Code, Refusal, Refused

RECORDED: Final = frozenset({Code.FORBIDDEN, Code.INVALID_REQUEST, Code.NOT_FOUND, Code.TOO_LARGE})
"""What may be somebody trying what is not theirs; the log says that it was tried, never what was sent."""


class StaffRoute(APIRoute):
    """A route for some roles; its refusals are pages where a page was asked for."""

    roles: ClassVar[frozenset[Role]] = frozenset()

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def gated(request: Request) -> Response:
            try:
                session = request.state.staff = await self._let_in(request)
                try:
                    return await answer(request)
                except Refused as error:
                    if error.refusal.code in RECORDED:
                        await record_refused(wire.broker_of(request), session, self.path_format, error.refusal.code)
                    raise
            except Refused as error:
                if form_of(request) != "page":
                    raise
                return refused_page(request, error.refusal)
            except LedgerUnavailable:
                if form_of(request) != "page":
                    raise
                return refused_page(request, Refusal(Code.LEDGER_UNAVAILABLE))

        return gated

    async def _let_in(self, request: Request) -> StaffSession:
        broker = wire.broker_of(request)
        if request.method not in ("GET", "HEAD"):
            same_origin(request)
        session = await session_of(request)
        if session.member.role not in self.roles:
            await record_refused(broker, session, self.path_format)
            raise Refused(Code.FORBIDDEN)
        if broker.now() - session.seen_at > sessions.NOTED_EVERY:
            await broker.storage.record(lambda transaction: sessions.note_seen(transaction, session))
        return session


def for_roles(*roles: Role) -> type[StaffRoute]:
    """The route class of a router for these roles."""
    return type("StaffRouteOf" + "".join(role.title() for role in roles), (StaffRoute,), {"roles": frozenset(roles)})


def staff_of(request: Request) -> StaffSession:
    """Who was let in."""
    session: StaffSession = request.state.staff
    return session


async def session_of(request: Request) -> StaffSession:
    """Raises Refused(not_signed_in), or forbidden where the log does not vouch for the row."""
    broker = wire.broker_of(request)
    secret = request.cookies.get(cookie_name(broker), "")
    return await broker.storage.read(lambda connection: sessions.find(connection, secret, broker.now()))


def same_origin(request: Request) -> None:
    """Raises Refused(forbidden) where a changing call does not come from the staff's own pages."""
    if request.headers.get("origin") != wire.broker_of(request).settings.staff:
        raise Refused(Code.FORBIDDEN)


def cookie_name(broker: Broker) -> str:
    return "__Host-broker_staff" if broker.settings.staff_secure else "broker_staff"


def set_cookie(response: Response, broker: Broker, secret: str) -> None:
    """Strict: no other site's link opens an auditor's page."""
    response.set_cookie(
        cookie_name(broker),
        secret,
        max_age=sessions.LONGEST,
        path="/",
        secure=broker.settings.staff_secure,
        httponly=True,
        samesite="strict",
    )


def refused_page(request: Request, refusal: Refusal) -> Response:
    """Why not, and the way to sign in where that is the way on."""
    request.scope["state"]["refusal"] = refusal
    broker = wire.broker_of(request)
    return page_of_forms(
        "staff_stopped.html",
        request,
        status=status_of(refusal),
        code=str(refusal.code),
        member=refusal.member,
        offered=broker.staff_provider is not None,
        test=broker.settings.test_identity,
        staff=None,
        here=partial(_plain, request),  # what was refused may be in the query, and is not said back
    )


def _plain(request: Request, *, lang: str = "") -> str:
    path: str = request.scope["path"]
    return f"{path}?lang={lang}" if lang else path


async def record_refused(broker: Broker, session: StaffSession, address: str, code: Code = Code.FORBIDDEN) -> None:
    """That somebody asked for what is not theirs; `address` is the route's template."""

    def work(transaction: Transaction) -> None:
        one = session.member
        transaction.append(StaffRefused(number=one.number, role=one.role, address=address, code=code))

    await broker.storage.record(work)
