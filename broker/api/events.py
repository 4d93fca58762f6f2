"""GET /v1/events: a requester learns what became of its requests and consents, by cursor or long poll."""

import re

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker import feed
from broker.api import wire
from broker.api.long_poll import look_until
from broker.feed import BEGINNING, Page, Position
from broker.requesters import may_call
from policies.refusals import Code, Refusal, Refused

router = APIRouter(tags=["requesters"])


@router.get("/v1/events")
async def read(request: Request) -> Response:
    """`?after=CURSOR&limit=N&wait=SECONDS`: its own events after the cursor, from the log's beginning without one.

    The answer's `cursor` is always there, also where there was nothing to tell.
    """
    verified = await wire.authenticate(request)
    asked = _read_query(request)
    after = Position.read(asked["after"]) if "after" in asked else BEGINNING
    limit = _number(asked, "limit", feed.PAGE_LIMIT)
    if not 1 <= limit <= feed.PAGE_LIMIT:
        raise Refused(Code.INVALID_REQUEST, member="limit")
    storage = wire.broker_of(request).storage

    def look(connection: Connection) -> Page:
        may = may_call(connection, verified.requester, verified.kid)  # it may have been suspended while it waited
        if isinstance(may, Refusal):
            raise Refused.because(may)
        return feed.read_on(connection, verified.requester, after, limit)

    wait = _number(asked, "wait", 0)
    page = await look_until(request, lambda: storage.read(look), lambda seen: bool(seen.events), wait)
    return wire.reply({"events": page.events, "cursor": page.reached.index})


def _read_query(request: Request) -> dict[str, str]:
    asked: dict[str, str] = {}
    for name, text in request.query_params.multi_items():
        if name not in {"after", "limit", "wait"}:
            raise Refused(Code.INVALID_REQUEST, member="query")
        if name in asked:
            raise Refused(Code.INVALID_REQUEST, member=name)
        asked[name] = text
    return asked


def _number(asked: dict[str, str], name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not re.fullmatch(r"0|[1-9][0-9]{0,3}", text):
        raise Refused(Code.INVALID_REQUEST, member=name)
    return int(text)
