"""/v1/me/devices: the keys that sign for a person, each enrolled with a proof that the device holds it."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from audit.batch import Transaction
from broker.api import wire
from broker.api.authorization_requests import rfc3339
from broker.login import Assurance, Session, issue_nonce, require, spend_nonce
from broker.wiring import Broker
from consent import jws, subjects
from consent.claims import verify_claims
from consent.errors import InvalidKey
from consent.keys import PublicKey, read_jwk
from policies.identifiers import read_label
from policies.refusals import Code, Refused, TokenRole

router = APIRouter(prefix="/v1/me/devices", tags=["citizens"])


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new device's public key, and a `device-proof+jwt` that it signed over this session's nonce."""

    jwk: dict[str, Any]
    proof: str
    label: str = ""


@router.get("/nonce")
async def nonce(request: Request) -> Response:
    """A nonce for one proof, bound to this session."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    recorded = await broker.storage.record(lambda transaction: issue_nonce(transaction, session))
    return wire.reply({"nonce": recorded.value})


@router.post("")
async def enrol(request: Request) -> Response:
    """Enrol a device. 201 with its `kid`."""
    session = await wire.changing(request)
    require(session, Assurance.SUBSTANTIAL)
    broker = wire.broker_of(request)
    given = await wire.read_members(request, Enrolment)
    try:
        key = read_jwk(given.jwk)
        label = read_label(given.label)
    except (InvalidKey, ValueError) as error:
        raise Refused(Code.INVALID_REQUEST, member="jwk" if isinstance(error, InvalidKey) else "label") from error
    unspent = verify_proof(given.proof, key, audience=broker.settings.issuer, now=broker.now())

    def work(transaction: Transaction) -> None:
        spend_nonce(transaction, session, unspent)
        subjects.enrol_device(transaction, session.subject_ref, key, label)

    await broker.storage.record(work)
    return wire.reply({"kid": key.kid, "alg": key.alg}, 201)


@router.get("")
async def read(request: Request) -> Response:
    """My devices, removed ones included."""
    session = await wire.signed_in(request)
    return wire.reply({"devices": await devices_of(wire.broker_of(request), session)})


@router.delete("/{kid}")
async def remove(request: Request, kid: str) -> Response:
    """The device signs nothing new from here on. What it signed stands until it is withdrawn."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    await broker.storage.record(lambda transaction: subjects.remove_device(transaction, session.subject_ref, kid))
    return Response(status_code=204, headers=wire.NO_STORE)


def verify_proof(text: str, key: PublicKey, *, audience: str, now: float) -> str:
    """The nonce that a `device-proof+jwt` was signed over; whether it is this session's is left to the caller."""
    token, claims = jws.read_token(text, jws.DEVICE, "device-proof+jwt")
    jws.verify_signature(token, key)
    verified = verify_claims(claims, profile=jws.DEVICE, audience=audience, now=now)
    nonce_claim = claims.get("nonce")
    if verified.iss != key.kid or not isinstance(nonce_claim, str) or not claims.keys() <= _PROOF_CLAIMS:
        raise Refused(Code.MALFORMED_TOKEN, TokenRole.DEVICE)
    return nonce_claim


async def devices_of(broker: Broker, session: Session) -> list[dict[str, Any]]:
    """A person's devices as she reads them, removed ones included."""
    rows = await broker.storage.read(lambda connection: subjects.devices_of(connection, session.subject_ref))
    return [
        {
            "kid": row.kid,
            "alg": row.alg,
            "label": row.label,
            "enrolled_at": rfc3339(row.enrolled_at),
            "removed_at": rfc3339(row.removed_at) if row.removed_at is not None else None,
        }
        for row in rows
    ]


_PROOF_CLAIMS = {"iss", "aud", "iat", "nbf", "exp", "jti", "nonce"}
