"""What the citizen's pages share: a refusal becomes a plain sentence, and no session becomes the sign-in, in place."""

import re
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from audit.errors import LedgerUnavailable
from broker.api import wire
from broker.pages.rendering import page_of_forms, query_of
from broker.problems import status_of
from policies.refusals import Code, Refusal, Refused

SIGN_IN_AGAIN: Final = (Code.NOT_SIGNED_IN, Code.STEP_UP_REQUIRED, Code.NOT_THE_SUBJECT)
"""What another sign-in can mend."""
PAGE: Final = re.compile(r"/(?:a/[A-Za-z0-9_-]{1,64}|me/(?:accesses|devices)|me)")
"""The addresses that a person can be sent back to."""


class CitizenRoute(APIRoute):
    """A route whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_in_words(request: Request) -> Response:
            try:
                return await answer(request)
            except Refused as error:
                return refused_page(request, error.refusal)
            except LedgerUnavailable:
                return refused_page(request, Refusal(Code.LEDGER_UNAVAILABLE))

        return answer_in_words


def refused_page(request: Request, refusal: Refusal, *, mistake: bool = False) -> Response:
    """Why not, in one sentence; with the sign-in below where that is the way on. `mistake`: of the sign-in form."""
    request.scope["state"]["refusal"] = refusal
    return page_of_forms(
        "stopped.html",
        request,
        status=status_of(refusal),
        code=str(refusal.code),
        sign_in=mistake or refusal.code in SIGN_IN_AGAIN,
        mistake=mistake,
        signed_in=refusal.code not in (Code.NOT_SIGNED_IN, Code.INVALID_REQUEST),
        test_identity=wire.broker_of(request).settings.test_identity,
        back=page_of(request.scope["path"]),
    )


def page_of(path: str) -> str:
    """The page that an address belongs to: that of a form is the one it stands on."""
    found = PAGE.match(path)
    return found[0] if found is not None else "/me"


def see(request: Request, path: str, at: str = "") -> Response:
    """After a form: the page to look at, so that reloading it sends nothing again (RFC 9110 section 15.4.4).

    `at` is the id of what changed on it.
    """
    return RedirectResponse(path + query_of(request) + (f"#{at}" if at else ""), 303, wire.NO_STORE)
