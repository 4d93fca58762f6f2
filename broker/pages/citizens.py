"""What the citizen's pages share: a refusal becomes a plain sentence, and no session becomes the sign-in, in place."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy import Connection

from audit.errors import LedgerUnavailable
from broker.api import wire
from broker.login import find_session
from broker.notices import unread
from broker.pages.rendering import Language, page_of_forms, query_of
from broker.pages.ways import Ways, ways_on
from broker.problems import status_of
from policies.refusals import Code, Refusal, Refused

SIGN_IN_AGAIN: Final = (
    Code.NOT_SIGNED_IN,
    Code.STEP_UP_REQUIRED,
    Code.NOT_THE_SUBJECT,
    Code.SIGN_IN_DENIED,
    Code.SIGN_IN_EXPIRED,
    Code.SIGN_IN_FAILED,
    Code.IDENTITY_INCOMPLETE,
    Code.PROVIDER_UNAVAILABLE,
)
"""What another sign-in can mend."""
STRANGER: Final = (Code.NOT_SIGNED_IN, Code.INVALID_REQUEST)
"""What is said to somebody who has no session."""
PAGE: Final = re.compile(
    r"/(?:a/[A-Za-z0-9_-]{1,64}|me/requests/[A-Za-z0-9_-]{1,64}|me/accesses(?:/[0-9]{1,18})?"
    r"|me/questions(?:/ask/[0-9]{1,18})?|me/corrections/ask/[0-9]{1,18}/[A-Za-z0-9._~-]{1,64}"
    r"|me/bundles/[A-Za-z0-9_-]{1,64}|me/(?:devices|inbox|export)|me)"
)
"""The addresses that a person can be sent back to."""


class CitizenRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_in_words(request: Request) -> Response:
            try:
                if request.method == "GET":
                    request.state.unread = await _unread(request)
                return await answer(request)
            except Refused as error:
                return await refused_page(request, error.refusal)
            except LedgerUnavailable:
                return stopped_page(request, Refusal(Code.LEDGER_UNAVAILABLE), None)

        return answer_in_words


async def _unread(request: Request) -> int:
    """How many notices the person has not seen, for the navigation; 0 where nobody is signed in."""
    broker = wire.broker_of(request)
    secret = request.cookies.get(wire.cookie_name(broker), "")

    def work(connection: Connection) -> int:
        try:
            return unread(connection, find_session(connection, secret, broker.now()).subject_ref)
        except Refused:
            return 0

    return await broker.storage.read(work) if secret else 0


async def refused_page(request: Request, refusal: Refusal, *, mistake: bool = False) -> Response:
    """Why not, in one sentence; with the ways to sign in below where that is the way on."""
    again = mistake or refusal.code in SIGN_IN_AGAIN
    return stopped_page(request, refusal, await ways_on(request, refusal) if again else None, mistake=mistake)


def stopped_page(
    request: Request,
    refusal: Refusal,
    ways: Ways | None,
    *,
    mistake: bool = False,
    left: bool = False,
    status: int | None = None,
) -> Response:
    """`mistake`: of the test sign-in's form. `left`: she signed out just now. `status`: where nothing was refused."""
    if status is None:
        request.scope["state"]["refusal"] = refusal
    return page_of_forms(
        "stopped.html",
        request,
        status=status_of(refusal) if status is None else status,
        code=str(refusal.code),
        ways=ways,
        mistake=mistake,
        left=left,
        signed_in=refusal.code not in STRANGER and (ways is None or ways.signed_in),
        back=page_of(request.scope["path"]),
    )


def placed_at(request: Request, path: str, lang: str) -> Request:
    """The request as if it were for another page of ours: what stands on the page then leads there."""
    query = b"lang=en" if lang == Language.ENGLISH else b""
    return Request({**request.scope, "path": path, "query_string": query}, request.receive)


def page_of(path: str) -> str:
    """The page that an address belongs to: that of a form is the one it stands on."""
    found = PAGE.match(path)
    return found[0] if found is not None else "/me"


def see(request: Request, path: str, at: str = "") -> Response:
    """After a form: the page to look at, so that reloading it sends nothing again (RFC 9110 section 15.4.4).

    `at` is the id of what changed on it.
    """
    return RedirectResponse(path + query_of(request) + (f"#{at}" if at else ""), 303, wire.NO_STORE)
