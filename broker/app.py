"""create_app: routes, the outermost layer around them, and the one place where a refusal becomes a problem."""

import contextlib
import secrets
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
from broker import wiring
from broker.api import (
    authorization_requests,
    catalogue,
    devices,
    events,
    exchanges,
    log,
    my_consents,
    my_requests,
    operators,
    proofs,
    session,
    status_lists,
)
from broker.pages import consent as consent_page
from broker.pages import me as my_page
from broker.pages import my_accesses, sign_in, static_files
from broker.pages import problems as problem_pages
from broker.pages import verify as verify_page
from broker.problems import MEDIA_TYPE, PROBLEMS, problem_members, status_of
from broker.telemetry import Telemetry
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


def create_app(broker: Broker) -> FastAPI:
    """The whole program as an ASGI application. It owns the broker: its end takes it down."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with wiring.in_background(broker):
            yield
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
    app.state.stopping = lambda: False
    for part in (
        authorization_requests,
        exchanges,
        events,
        status_lists,
        session,
        devices,
        my_requests,
        my_consents,
        catalogue,
        log,
        proofs,
        operators,
        problem_pages,
        verify_page,
        static_files,
        sign_in,
        consent_page,
        my_page,
        my_accesses,
    ):
        app.include_router(part.router)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameter)
    for unavailable in (LedgerUnavailable, OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(unavailable, _ledger_unavailable)
    app.add_middleware(Outermost, telemetry=broker.telemetry)
    return app


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
        request_id = scope.setdefault("state", {})["request_id"] = f"rq_{secrets.token_urlsafe(9)}"
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
                if scope["state"].get("hang_up"):
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        unforeseen = ""
        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the last line of defence: the type is logged, never the text
            unforeseen = _where(error)
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


def _where(error: Exception) -> str:
    """The error's type and the line of ours that raised it: enough to mend it, and no value in it."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"


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


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
