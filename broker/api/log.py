"""What anybody may know of the log, and how to find the broker's keys and addresses."""

from typing import Any

from fastapi import APIRouter, Request, Response

from audit.batch import read_head
from broker.api import wire

router = APIRouter(tags=["log"])


@router.get("/log/checkpoint")
async def checkpoint(request: Request) -> Response:
    """The newest signed checkpoint (C2SP tlog-checkpoint)."""
    head = await wire.broker_of(request).storage.read(read_head)
    return Response(head.checkpoint, headers={"Cache-Control": "no-cache"}, media_type="text/plain; charset=utf-8")


@router.get("/.well-known/jwks.json")
async def jwks(request: Request) -> Response:
    """The keys that sign `exchange-response+jwt` (RFC 7517)."""
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
            "catalogue_endpoint": f"{issuer}/v1/catalogue",
            "checkpoint_endpoint": f"{issuer}/log/checkpoint",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "log_vkey": broker.keys.log.vkey,
            "algorithms": ["ES256", "EdDSA", "Ed25519"],
        }
    )
