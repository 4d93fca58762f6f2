"""create_desk_app: the desk's addresses, the outermost layer around them, and where a refusal becomes a page."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.desk.pages import case, finishing, joint, live, sign_in, starting, static_files, worklist
from broker.desk.refusals import Refused, Why
from broker.desk.rendering import problem
from broker.desk.settings import DeskSettings
from broker.desk.store import Store
from broker.desk.visits import at_window
from broker.desk.wiring import TIMEOUT, Desk
from broker.unforeseen import where_raised

_SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST"})


def create_desk_app(settings: DeskSettings, store: Store, log: Any) -> Starlette:
    """The desk as an ASGI application. It owns the store: its end closes it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as http:
            desk = Desk.open(settings, store, log, http)
            desk.stopping = app.state.stopping
            app.state.desk = desk
            yield
        store.close()

    app = Starlette(
        routes=_routes(),
        lifespan=lifespan,
        exception_handlers={Refused: _refused, HTTPException: _http_error},
    )
    app.router.redirect_slashes = False
    app.state.stopping = lambda: False
    app.add_middleware(Outermost, log=log)
    return app


def make_desk_server(settings: DeskSettings, store: Store, log: Any) -> uvicorn.Server:
    """A server for a listening socket that the caller gives it."""
    app = create_desk_app(settings, store, log)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="error",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    app.state.stopping = lambda: server.should_exit
    return server


class Outermost:
    """Safe headers and one log line for each request; what nobody foresaw becomes a page here. No value in any line."""

    def __init__(self, app: ASGIApp, log: Any) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in _SAFE if one[0] not in given)]
            await send(message)

        unforeseen = ""
        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the last line of defence: the type is logged, never the text
            unforeseen = where_raised(error)
            if not status:
                await problem(Request(scope), Refused(Why.TROUBLE))(scope, receive, sending)
        self._note(scope, status, time.monotonic() - began, unforeseen)

    def _note(self, scope: Scope, status: int, seconds: float, unforeseen: str) -> None:
        line = {
            "method": scope["method"] if scope["method"] in _METHODS else "other",
            "route": getattr(scope.get("route"), "path", "none"),
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        if refused := scope.get("state", {}).get("refused"):
            line["code"] = str(refused.why)
            if refused.why is Why.BROKER:
                line["broker_code"] = refused.member
        if unforeseen:
            self._log.error("unforeseen", **line, error=unforeseen)
        else:
            self._log.info("request", **line)


async def _refused(request: Request, error: Exception) -> Response:
    """Who is not signed in gets the sign-in page, a locked window its lock, in the place of any page."""
    assert isinstance(error, Refused)
    try:
        visit = await at_window(request)
    except Refused:
        visit = None
    if error.why is Why.LOCKED and visit is not None:
        return sign_in.locked(request, visit.session)
    if error.why is Why.NOT_SIGNED_IN:
        return sign_in.not_signed_in(request, error)
    return problem(request, error, visit=visit if visit is not None and not visit.session.locked else None)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known = {404: Why.NOT_FOUND, 405: Why.METHOD}
    return problem(request, Refused(known.get(error.status_code, Why.INVALID)))


def _routes() -> list[Route]:
    reads = {
        "/": sign_in.front,
        "/sign-in": sign_in.ask,
        "/static/{name}": static_files.read,
        "/cases": worklist.read,
        "/cases.csv": worklist.as_csv,
        "/new": starting.ask_person,
        "/parcels": joint.ask_for_parcel,
        "/cases/{number}": case.read,
        "/cases/{number}/screen": case.screen,
        "/cases/{number}/live": live.listen,
        "/cases/{number}/parcels/{parcel}": joint.download,
    }
    changes = {
        "/sign-in": sign_in.sign_in,
        "/sign-out": sign_in.sign_out,
        "/lock": sign_in.lock,
        "/unlock": sign_in.unlock,
        "/awake": sign_in.awake,
        "/find": worklist.find,
        "/tasks/{task:int}": worklist.finish_task,
        "/cases": starting.start,
        "/parcels": joint.take_in,
        "/cases/{number}/ask": starting.ask,
        "/cases/{number}/renew": case.renew,
        "/cases/{number}/paper": case.paper,
        "/cases/{number}/pull": case.pull,
        "/cases/{number}/collect": case.collect,
        "/cases/{number}/again": case.again,
        "/cases/{number}/show": case.show,
        "/cases/{number}/decide": case.decide,
        "/cases/{number}/rate": finishing.rate,
        "/cases/{number}/hand-over": joint.hand_over,
        "/cases/{number}/more": joint.more,
        "/cases/{number}/supply": joint.supply,
    }
    return [
        *(Route(path, endpoint, methods=["GET"]) for path, endpoint in reads.items()),
        *(Route(path, endpoint, methods=["POST"]) for path, endpoint in changes.items()),
    ]
