"""GET /v1/status-lists/{id}: whether consents were withdrawn or paused, for third parties who hold their tokens."""

import re
from typing import Final

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.status_lists import KEEP, TYPE
from policies.refusals import Code, Refused

router = APIRouter(tags=["everybody"])

KEPT: Final = {"Cache-Control": f"public, max-age={KEEP}"}


@router.get("/v1/status-lists/{id}")
async def read(request: Request, id: str) -> Response:  # noqa: A002 - the protocol's name
    """The list as a signed token, public and cacheable: it names nobody, and each place in it was drawn at random."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", id):
        raise Refused(Code.NOT_FOUND)
    token = await wire.broker_of(request).status_lists.token(int(id))
    return Response(token, headers=KEPT, media_type=f"application/{TYPE}")
