"""What the code's screen hears without asking: server-sent events, one for each change, until the person has answered.

While the code waits to be scanned the broker is asked in short waits, since a long one ends only with her answer; from
then on in the longest there is.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from broker.desk import asking
from broker.desk.cases import Case
from broker.desk.refusals import Refused, Why
from broker.desk.rendering import say
from broker.desk.visits import Visit, at_window
from broker.desk.words import REQUESTS

UNSCANNED: Final = 2
SCANNED: Final = 25
AFTER_TROUBLE: Final = 3.0
"""Seconds."""


async def listen(request: Request) -> Response:
    visit = await at_window(request)  # a browser comes back by itself: that is nobody at the window
    if visit.session.locked:
        raise Refused(Why.LOCKED)
    case = await visit.case()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(visit, case), headers=headers, media_type="text/event-stream")


async def _events(visit: Visit, case: Case) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    known = ""
    while case.stage == "asking" and await _still_there(visit):
        try:
            status = await asking.look(visit.desk, case, SCANNED if known == "opened" else UNSCANNED if known else 0)
            case, trouble = await visit.case(), False
        except Refused:
            status, trouble = known, True
            await asyncio.sleep(AFTER_TROUBLE)
        if trouble or status != known:
            yield _event(visit, status, trouble=trouble)
        known = status
    yield "event: moved\ndata: {}\n\n"


async def _still_there(visit: Visit) -> bool:
    """A window that has locked itself, or a desk that is to end, hears no more. Listening is no key pressed."""
    try:
        return not (await at_window(visit.request)).session.locked and not visit.desk.stopping()
    except Refused:
        return False


def _event(visit: Visit, status: str, *, trouble: bool) -> str:
    chosen = say(english=visit.english)
    words = chosen(REQUESTS.get(status, (status, status)))
    if trouble:
        words = chosen("暂时连不上便利桥，正在重试", "The broker cannot be reached; trying again")
    return f"data: {json.dumps({'status': status, 'words': words, 'trouble': trouble}, ensure_ascii=False)}\n\n"
