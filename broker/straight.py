"""The one busy address ahead of the router: POST /v1/exchanges by the same function, with the same problems.

Trying some hundred routes and solving what a route depends on costs as much as the requester's signature. This address
depends on nothing: it has no parameters, and reads its own body.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.api.exchanges import exchange

PATH: Final = "/v1/exchanges"
METHOD: Final = "POST"

Answering: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]


class _Named:
    """The route's template, for the log line and the metrics."""

    path: Final = PATH


class Straight:
    """Answers exchanges; everything else goes on to the router, other methods of the same address too."""

    def __init__(self, app: ASGIApp, refusals: Mapping[type[Exception], Answering]) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != METHOD:
            await self._app(scope, receive, send)
            return
        scope["route"] = _Named
        request = Request(scope, receive)
        try:
            response = await exchange(request)
        except tuple(self._refusals) as error:
            answering = next(one for kind, one in self._refusals.items() if isinstance(error, kind))
            response = await answering(request, error)
        await response(scope, receive, send)
