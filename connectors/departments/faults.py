"""A test department's bad habits over HTTP, switched on and off from outside while it runs."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Final, Literal, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

FaultName = Literal[
    "none", "down", "slow", "hang", "garbled", "html", "wrong_person", "no_record", "truncated", "500", "huge"
]
FAULTS: Final[tuple[str, ...]] = get_args(FaultName)

_KEPT_CALLS: Final = 1000
_HUGE_CHUNKS: Final = 64
_FORWARDED: Final = ("call", "requester", "operator", "matter", "case", "consent")


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /faults` takes."""

    fault: FaultName
    seconds: float = 1.0
    """For `slow`: how late each answer comes."""


class CallBook:
    """How many calls came, and under which of the broker's ids; never about whom."""

    def __init__(self) -> None:
        self._count = 0
        self._last: deque[Mapping[str, str]] = deque(maxlen=_KEPT_CALLS)

    def note(self, headers: Mapping[str, str]) -> None:
        self._count += 1
        self._last.append({name: headers.get(f"x-broker-{name}", "") for name in _FORWARDED})

    def told(self) -> dict[str, object]:
        """Return what `GET /calls` answers, the last call last."""
        return {"count": self._count, "last": list(self._last)}


async def bent(fault: Fault, honest: Response, request: Request) -> Response:
    """Return the honest answer, or what this fault makes of it."""
    body = bytes(honest.body)
    if fault.fault == "slow":
        await asyncio.sleep(fault.seconds)
    elif fault.fault == "hang":
        while (await request.receive())["type"] != "http.disconnect":
            pass
    elif fault.fault == "garbled":
        return Response(body[: len(body) // 2], media_type=honest.media_type)
    elif fault.fault == "html":
        return HTMLResponse("<html><head><title>系统维护中</title></head><body>系统维护中</body></html>")
    elif fault.fault == "truncated":
        return Response(body[: len(body) // 2], headers={"Content-Length": str(len(body))})
    elif fault.fault == "500":
        return JSONResponse({"error": "java.lang.NullPointerException"}, status_code=500)
    elif fault.fault == "huge":
        return StreamingResponse(_huge(), media_type=honest.media_type)
    return honest


async def _huge() -> AsyncIterator[bytes]:
    for _ in range(_HUGE_CHUNKS):
        yield b" " * (1 << 17)
