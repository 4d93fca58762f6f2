"""POST /v1/departments/{department}/push: the answer that a department posts to us, signed, idempotent."""

from typing import Final

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.arrivals import take_pushed

router = APIRouter(tags=["departments"])

LIMIT: Final = 1 << 20
"""Bytes: as much as we would read of an answer that we fetch."""


@router.post("/v1/departments/{department}/push")
async def push(request: Request, department: str) -> Response:
    """200 for an answer that was waited for, and for the same one again."""
    body = await wire.read_posted(request, LIMIT)
    return wire.reply(await take_pushed(wire.broker_of(request).path, department, request.headers, body))
