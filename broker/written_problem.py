"""A whole answer that refuses, in bytes, for where no application is asked: its words and headers are the same."""

from collections.abc import Sequence
from typing import Final

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from broker.app import SAFE_HEADERS, new_request_id
from broker.problems import MEDIA_TYPE, PROBLEMS, problem_members, status_of
from policies.refusals import Refusal

CLOSE: Final = (b"connection", b"close")


def written(
    refusal: Refusal,
    *,
    issuer: str,
    english: bool = False,
    closing: bool = False,
    beside: Sequence[tuple[bytes, bytes]] = (),
) -> bytes:
    """Head and body; `beside` are the headers that the server gives to every answer."""
    request_id = new_request_id()
    body = msgspec.json.encode(problem_members(refusal, issuer=issuer, request_id=request_id, english=english))
    headers = [
        *beside,
        *SAFE_HEADERS,
        (b"cache-control", b"no-store"),
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
    ]
    if wait := PROBLEMS[refusal.code].retry_after:
        headers.append((b"retry-after", b"%d" % wait))
    if closing and CLOSE not in beside:
        headers.append(CLOSE)
    return STATUS_LINE[status_of(refusal)] + b"".join(b"%b: %b\r\n" % each for each in headers) + b"\r\n" + body
