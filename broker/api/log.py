"""What anybody may know of the log, as C2SP tlog-tiles, and how to find the broker's keys and addresses."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit import tiles
from audit.batch import read_head
from audit.errors import NotInLog, TilePathError
from audit.tiles import TileName
from broker.api import wire
from policies.refusals import Code, Refused

router = APIRouter(tags=["log"])

FULL_TILE: Final = "public, max-age=31536000, immutable"
PARTIAL_TILE: Final = "public, max-age=3600, immutable"
"""As unchanging as a full one, but soon of no use to anybody."""


@router.get("/log/checkpoint")
async def checkpoint(request: Request) -> Response:
    """The newest signed checkpoint (C2SP tlog-checkpoint); where there are witnesses, the newest that a quorum saw."""
    broker = wire.broker_of(request)
    head = await broker.storage.read(read_head)
    note = broker.witnessing.checkpoint(head.checkpoint) if broker.witnessing is not None else head.checkpoint
    return Response(note, headers={"Cache-Control": "no-cache"}, media_type="text/plain; charset=utf-8")


@router.get("/log/tile/{path:path}")
async def tile(request: Request, path: str) -> Response:
    """Hashes of the tree (C2SP tlog-tiles). Entry bundles are not served: entries are for those whom they concern.

    Refused: invalid_request where the path is not one, not_found beyond the log.
    """
    if path.partition("/")[0] == "entries":
        raise Refused(Code.NOT_FOUND, member="level")
    try:
        name = tiles.read_tile_path(path)
        hashes = await wire.broker_of(request).storage.read(lambda connection: _read_tile(connection, name))
    except TilePathError as error:
        raise Refused(Code.INVALID_REQUEST, member=error.part) from error
    except NotInLog as error:
        raise Refused(Code.NOT_FOUND, member="number") from error
    keep = FULL_TILE if name.width == tiles.WIDTH else PARTIAL_TILE
    return Response(hashes, headers={"Cache-Control": keep}, media_type="application/octet-stream")


@router.get("/.well-known/jwks.json")
async def jwks(request: Request) -> Response:
    """The keys that sign `exchange-response+jwt` and `statuslist+jwt` (RFC 7517)."""
    key = wire.broker_of(request).keys.issuer.public
    members: dict[str, Any] = {"keys": [{**key.jwk, "alg": key.alg, "kid": key.kid, "use": "sig"}]}
    return wire.reply(members)


@router.get("/.well-known/consent-broker")
async def metadata(request: Request) -> Response:
    """Where everything is, and the log's verifier key. Pin that key from elsewhere before you trust it."""
    broker = wire.broker_of(request)
    issuer = broker.settings.issuer
    return wire.reply(
        {
            "issuer": issuer,
            "authorization_requests_endpoint": f"{issuer}/v1/authorization-requests",
            "exchanges_endpoint": f"{issuer}/v1/exchanges",
            "events_endpoint": f"{issuer}/v1/events",
            "status_lists_endpoint": f"{issuer}/v1/status-lists",
            "catalogue_endpoint": f"{issuer}/v1/catalogue",
            "checkpoint_endpoint": f"{issuer}/log/checkpoint",
            "tiles_endpoint": f"{issuer}/log/tile",
            "proof_endpoint": f"{issuer}/v1/log/proof",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "log_vkey": broker.keys.log.vkey,
            "algorithms": ["ES256", "EdDSA", "Ed25519"],
        }
    )


def _read_tile(connection: Connection, name: TileName) -> bytes:
    size = read_head(connection).frontier.size
    return tiles.tile(connection, size, name.level, name.number, name.width)
