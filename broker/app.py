"""create_app: routes, the outermost layer around them, and the one place where a refusal becomes a problem."""

import asyncio
import base64
import contextlib
import functools
import random
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from audit.errors import LedgerBusy, LedgerUnavailable
from broker import interpreter, wiring
from broker.api import (
    authorization_requests,
    catalogue,
    departments,
    devices,
    events,
    exchanges,
    figures,
    log,
    my_bundles,
    my_consents,
    my_export,
    my_inbox,
    my_inquiries,
    my_requests,
    my_waiting,
    operators,
    passkey_session,
    passkeys,
    proofs,
    session,
    status_lists,
)
from broker.auditing.integrity import Integrity
from broker.hosts import Hosts
from broker.pages import (
    audit_calls,
    audit_inquiries,
    audit_integrity,
    audit_log,
    audit_packages,
    audit_search,
    audit_unusual,
    guide,
    my_accesses,
    openid,
    operate,
    operate_configuration,
    sign_in,
    staff,
    staff_openid,
    static_files,
    steward,
    steward_applications,
    steward_corrections,
    steward_uses,
    watched_departments,
)
from broker.pages import consent as consent_page
from broker.pages import departments as department_page
from broker.pages import devices as my_devices
from broker.pages import figures as figures_page
from broker.pages import me as my_page
from broker.pages import my_bundles as my_bundles_page
from broker.pages import my_export as my_export_page
from broker.pages import my_inbox as my_inbox_page
from broker.pages import my_inquiries as my_inquiries_page
from broker.pages import my_ratings as my_ratings_page
from broker.pages import problems as problem_pages
from broker.pages import verify as verify_page
from broker.problems import MEDIA_TYPE, PROBLEMS, problem_members, status_of
from broker.straight import Straight
from broker.telemetry import Telemetry
from broker.unforeseen import where_raised
from broker.wiring import Broker
from policies.refusals import Code, Refusal, Refused

SAFE_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
)
FOR_EVERYBODY: Final = ("/log/", "/v1/log/proof", "/v1/status-lists/", "/.well-known/")
"""What any site's page may read, so that anybody can write one that verifies."""
_BY_STATUS: Final = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 413: Code.TOO_LARGE}
ROUTERS: Final = (
    *(
        part.router
        for part in (
            authorization_requests,
            exchanges,
            events,
            status_lists,
            session,
            passkey_session,
            devices,
            my_waiting,
            passkeys,
            my_requests,
            my_bundles,
            my_consents,
            my_inquiries,
            my_inbox,
            my_export,
            catalogue,
            figures,
            log,
            proofs,
            operators,
            departments,
            problem_pages,
            verify_page,
            guide,
            figures_page,
            static_files,
            sign_in,
            openid,
            consent_page,
            my_bundles_page,
            my_page,
            my_devices,
            my_accesses,
            my_ratings_page,
            my_inquiries_page,
            my_inbox_page,
            my_export_page,
            department_page,
            staff_openid,
            steward,
            steward_uses,
            steward_corrections,
            steward_applications,
            audit_search,
            audit_calls,
            audit_packages,
            audit_integrity,
            audit_unusual,
            audit_inquiries,
            audit_log,
        )
    ),
    staff.outside,
    staff.everybody,
    staff.keepers,
    operate.router,
    operate_configuration.router,
    watched_departments.router,
)
"""Every address there is. Each says itself whom it is for."""


def create_app(broker: Broker) -> FastAPI:
    """The whole program as an ASGI application. It owns the broker: its end takes it down."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        interpreter.settle()
        async with wiring.in_background(broker):
            yield
        await asyncio.to_thread(app.state.integrity.stop)
        await wiring.take_down(broker)

    # No generated pages: theirs load scripts from elsewhere
    app = FastAPI(
        title="便利桥 Consent Broker",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # such a redirect is made from the Host header, which is the caller's word
        lifespan=lifespan,
    )
    app.state.broker = broker
    app.state.told_catalogue = functools.cache(lambda: catalogue.told(broker.catalogue, broker.directory.items()))
    app.state.stopping = lambda: False
    app.state.leaving = lambda: False
    app.state.integrity = Integrity(broker.storage)
    app.state.printing = asyncio.Semaphore(1)  # a PDF is some seconds of one core: one at a time
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameter)
    for kind, answering in _REFUSALS.items():
        app.add_exception_handler(kind, answering)
    app.add_middleware(Straight, refusals=_REFUSALS)
    app.add_middleware(
        Hosts, issuer=broker.settings.issuer, citizens=broker.settings.citizens, staff=broker.settings.staff
    )
    app.add_middleware(Outermost, telemetry=broker.telemetry)
    return app


_numbers: Final = random.Random()  # noqa: S311 - as `new_request_id` says


def new_request_id() -> str:
    """Names one request for people who look for it in the log; it opens nothing, so nobody need find it hard to guess.

    The system's own source of randomness would cost a turn of the threads for each request.
    """
    return f"rq_{base64.urlsafe_b64encode(_numbers.randbytes(9)).decode()}"


class Outermost:
    """Gives each request an id, safe headers and one log line; what nobody foresaw becomes a problem here."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        request_id = scope.setdefault("state", {})["request_id"] = new_request_id()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}  # a page states its own content security policy
                safe = [header for header in SAFE_HEADERS if header[0] not in given]
                message["headers"] = [*message["headers"], *safe, (b"x-request-id", request_id.encode())]
                if scope["method"] == "GET" and scope["path"].startswith(FOR_EVERYBODY):
                    message["headers"].append((b"access-control-allow-origin", b"*"))
            await send(message)

        unforeseen = ""
        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the last line of defence: the type is logged, never the text
            unforeseen = where_raised(error)
            if not status:
                await _problem(Request(scope), Refusal(Code.BUSY))(scope, receive, sending)
        self._note(scope, status, time.monotonic() - began, unforeseen)

    def _note(self, scope: Scope, status: int, seconds: float, unforeseen: str) -> None:
        route = getattr(scope.get("route"), "path", "none")  # the template: a path can hold a ticket
        refusal = scope["state"].get("refusal")
        line: dict[str, Any] = {
            "request_id": scope["state"]["request_id"],
            "method": scope["method"] if scope["method"] in _METHODS else "other",
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        if refusal is not None:
            line["code"] = str(refusal.code)
            self._telemetry.refusals.labels(refusal.code).inc()
        self._telemetry.requests.labels(route, status).inc()
        self._telemetry.seconds.labels(route).observe(seconds)
        if unforeseen:
            self._telemetry.log.error("unforeseen", **line, error=unforeseen)
        else:
            self._telemetry.log.info("request", **line)


def _problem(request: Request, refusal: Refusal) -> Response:
    broker: Broker | None = getattr(request.scope.get("app"), "state", None) and request.scope["app"].state.broker
    issuer = broker.settings.issuer if broker is not None else ""
    english = request.headers.get("accept-language", "").lower().startswith("en")
    request.scope["state"]["refusal"] = refusal
    members = problem_members(refusal, issuer=issuer, request_id=request.scope["state"]["request_id"], english=english)
    headers = {"Cache-Control": "no-store"}
    if wait := PROBLEMS[refusal.code].retry_after:
        headers["Retry-After"] = str(wait)
    return Response(msgspec.json.encode(members), status_of(refusal), headers, MEDIA_TYPE)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _problem(request, error.refusal)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _problem(request, Refusal(_BY_STATUS.get(error.status_code, Code.INVALID_REQUEST)))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _invalid_parameter(request: Request, _: Exception) -> Response:
    return _problem(request, Refusal(Code.INVALID_REQUEST))  # the error's own text would quote what was sent


async def _ledger_unavailable(request: Request, error: Exception) -> Response:
    return _problem(request, Refusal(Code.BUSY if isinstance(error, LedgerBusy) else Code.LEDGER_UNAVAILABLE))


_REFUSALS: Final = {Refused: _refused} | dict.fromkeys(
    (LedgerUnavailable, OperationalError, InterfaceError, PoolTimeout), _ledger_unavailable
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
