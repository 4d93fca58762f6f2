"""/problems/{code}: what a code means, why it happens and what to do, for whoever follows a problem's `type`."""

from fastapi import APIRouter, Request, Response

from broker.pages.rendering import public_page
from broker.problems import PROBLEMS
from policies.refusals import Code, Refused

router = APIRouter(tags=["public"])


@router.get("/problems/{code}")
async def problem(request: Request, code: str) -> Response:
    if code not in list(Code):
        raise Refused(Code.NOT_FOUND)
    return public_page("problem.html", request, seconds=3600, code=code, problem=PROBLEMS[Code(code)])
