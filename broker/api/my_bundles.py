"""/v1/me/bundles: how far each part of what I do at once is."""

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.progress import my_bundle, my_bundles

router = APIRouter(prefix="/v1/me/bundles", tags=["citizens"])


@router.get("")
async def read_all(request: Request) -> Response:
    """All of mine, the newest first."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    found = await broker.storage.read(
        lambda connection: my_bundles(connection, broker, session, english=wire.reads_english(request))
    )
    return wire.reply({"bundles": found})


@router.get("/{id}")
async def read(request: Request, id: str) -> Response:  # noqa: A002 - the protocol's name
    """One: by part what was agreed, and by item what the newest answer was."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    found = await broker.storage.read(
        lambda connection: my_bundle(connection, broker, session, id, english=wire.reads_english(request))
    )
    return wire.reply(found)
