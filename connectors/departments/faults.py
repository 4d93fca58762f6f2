"""A test department's bad habits over HTTP, switched on and off from outside while it runs."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Final, Literal, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

FaultName = Literal[
    "none",
    "down",
    "slow",
    "hang",
    "garbled",
    "html",
    "wrong_person",
    "no_record",
    "truncated",
    "500",
    "huge",
    "long",
    "429",
    "wrong_schema",
    "duplicates",
    "stale",
    "xml_bomb",
    "xml_entity",
]
FAULTS: Final[tuple[str, ...]] = get_args(FaultName)

_CHINA: Final = timezone(timedelta(hours=8))
_OTHERWISE: Final = {
    "application/json": '{"success":true,"result":{"rows":[]}}',
    "text/xml": "<RESULT><OK>true</OK><ROWS/></RESULT>",
}
"""Well-formed, and of a shape that nobody agreed on."""
_ENTITIES: Final = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in itertools.pairwise("abcdefghij"))
XML_BOMB: Final = f'<!DOCTYPE b [<!ENTITY a "{"a" * 100}">{_ENTITIES}]><PACKAGE><CODE>&j;</CODE></PACKAGE>'
XML_ENTITY: Final = '<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><PACKAGE><CODE>&a;</CODE></PACKAGE>'
_KEPT_CALLS: Final = 1000
_LONG: Final = 500_000
"""Bytes: as much as an answer may well be."""
_HUGE_CHUNKS: Final = 800
"""Of 128 KiB: a hundred megabytes."""
_FORWARDED: Final = ("call", "requester", "operator", "matter", "case", "consent")


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /faults` takes."""

    fault: FaultName
    seconds: float = 1.0
    """For `slow`: how late each answer comes."""


def bent_rows(fault: Fault, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the records that this fault leaves: none, each twice, or as they are."""
    return [] if fault.fault == "no_record" else rows * (2 if fault.fault == "duplicates" else 1)


def data_time(fault: Fault) -> str:
    """Return when the department says that its data was true, in China's time."""
    age = timedelta(days=40 if fault.fault == "stale" else 0)
    return (datetime.now(_CHINA) - age).strftime("%Y-%m-%d %H:%M:%S")


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
    if fault.fault == "slow":
        await asyncio.sleep(fault.seconds)
    elif fault.fault == "hang":
        while (await request.receive())["type"] != "http.disconnect":
            pass
    make = _BENT.get(fault.fault)
    return honest if make is None else make(bytes(honest.body), honest.media_type or "")


async def _huge() -> AsyncIterator[bytes]:
    for _ in range(_HUGE_CHUNKS):
        yield b" " * (1 << 17)


_BENT: Final[Mapping[str, Callable[[bytes, str], Response]]] = {
    "garbled": lambda body, kind: Response(body[: len(body) // 2], media_type=kind),
    "html": lambda _body, _kind: HTMLResponse(
        "<html><head><title>系统维护中</title></head><body>系统维护中</body></html>"
    ),
    "truncated": lambda body, _kind: Response(body[: len(body) // 2], headers={"Content-Length": str(len(body))}),
    "500": lambda _body, _kind: JSONResponse({"error": "java.lang.NullPointerException"}, status_code=500),
    "429": lambda _body, _kind: Response(status_code=429, headers={"Retry-After": "7"}),
    "wrong_schema": lambda _body, kind: Response(_OTHERWISE[kind], media_type=kind),
    "xml_bomb": lambda _body, _kind: Response(XML_BOMB, media_type="text/xml"),
    "xml_entity": lambda _body, _kind: Response(XML_ENTITY, media_type="text/xml"),
    "long": lambda body, kind: Response(body + b" " * _LONG, media_type=kind),
    "huge": lambda _body, kind: StreamingResponse(_huge(), media_type=kind),
}
