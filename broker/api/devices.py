"""/v1/me/devices: the keys that sign for a person, each enrolled with a proof that the device holds it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, select

from audit import tables
from audit.batch import Recorded, Transaction
from audit.identity_events import DeviceLost
from audit.search import Wanted, newest
from broker import ceremonies, passkeys
from broker.accesses import AT_ONCE
from broker.api import wire
from broker.ceremonies import Purpose
from broker.login import Session, issue_nonce, require, spend_nonce
from broker.moments import rfc3339
from broker.wiring import Broker
from consent import jws, subjects
from consent import passkeys as kept
from consent.assertions import VerifiedAssertion
from consent.claims import verify_claims
from consent.errors import InvalidKey
from consent.keys import PublicKey, read_jwk
from consent.lost_device import lose_device
from consent.subjects import Approval
from policies.identifiers import read_label
from policies.refusals import Code, Refused, TokenRole

router = APIRouter(prefix="/v1/me/devices", tags=["citizens"])


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new device's public key, and a `device-proof+jwt` that it signed over this session's nonce."""

    jwk: dict[str, Any]
    proof: str
    label: str = ""
    approval: dict[str, Any] | None = None
    """For a further device: a passkey's answer (AuthenticationResponseJSON) over the new key's thumbprint."""


class Approving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The thumbprint of the key that is to be enrolled."""

    kid: str


@router.get("/nonce")
async def nonce(request: Request) -> Response:
    """A nonce for one proof, bound to this session."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    recorded = await broker.storage.record(lambda transaction: issue_nonce(transaction, session))
    return wire.reply({"nonce": recorded.value})


@router.post("/approval")
async def approval_options(request: Request) -> Response:
    """What a passkey is asked to approve a further device. Refused(step_up_required) where she has none."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    site = passkeys.site_of(broker.settings)
    challenge = _challenge_of((await wire.read_members(request, Approving)).kid)

    def work(transaction: Transaction) -> dict[str, Any]:
        allowed = passkeys.hers(transaction.connection, session.subject_ref, broker.settings.assurance.sign_sensitive)
        ceremonies.begin(transaction, Purpose.APPROVE, session, challenge)
        return passkeys.request_options(site, challenge, allowed)

    return wire.reply((await broker.storage.record(work)).value)


@router.post("")
async def enrol(request: Request) -> Response:
    """Enrol a device. 201 with its `kid`. A person's further device needs a sure session or a passkey's approval."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    require(session, broker.settings.assurance.sign)
    given = await wire.read_members(request, Enrolment)
    try:
        key = read_jwk(given.jwk)
        label = read_label(given.label)
    except (InvalidKey, ValueError) as error:
        raise Refused(Code.INVALID_REQUEST, member="jwk" if isinstance(error, InvalidKey) else "label") from error
    unspent = verify_proof(given.proof, key, audience=broker.settings.issuer, now=broker.now())
    approved = await _verify_approval(broker, session, key, given.approval) if given.approval is not None else None

    def work(transaction: Transaction) -> None:
        spend_nonce(transaction, session, unspent)
        approval = _approval(transaction, broker, session, key, approved)
        subjects.enrol_device(transaction, session.subject_ref, key, label, approval)

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
    await remove_device(wire.broker_of(request), session, kid)
    return Response(status_code=204, headers=wire.NO_STORE)


@router.post("/{kid}/lost")
async def lose(request: Request, kid: str) -> Response:
    """Removed, and every standing consent that it signed is paused: `paused` names them."""
    session = await wire.changing(request)
    recorded = await report_lost(wire.broker_of(request), session, kid)
    return wire.reply({"kid": kid, "paused": recorded.value, "receipt": wire.receipts(recorded)})


async def remove_device(broker: Broker, session: Session, kid: str) -> None:
    """Raises Refused(not_found | step_up_required)."""
    require(session, broker.settings.assurance.withdraw)
    await broker.storage.record(lambda transaction: subjects.remove_device(transaction, session.subject_ref, kid))


async def report_lost(broker: Broker, session: Session, kid: str) -> Recorded[list[str]]:
    """Raises Refused(not_found | step_up_required)."""
    require(session, broker.settings.assurance.withdraw)
    return await broker.storage.record(lambda transaction: lose_device(transaction, session.subject_ref, kid))


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


def lost_devices(connection: Connection, subject_ref: str) -> frozenset[str]:
    """The `kid` of each device that she reported lost, of the newest hundred."""
    entry = tables.entry
    found = newest(connection, Wanted(subject_ref=subject_ref, events=(DeviceLost.NAME,)), AT_ONCE)
    bodies = connection.execute(select(entry.c.body).where(entry.c.idx.in_(found))).scalars()
    return frozenset(json.loads(body)["body"]["kid"] for body in bodies)


def _challenge_of(kid: str) -> bytes:
    """What a passkey signs to approve this key: SHA-256 of the thumbprint's ASCII."""
    return hashlib.sha256(kid.encode()).digest()


async def _verify_approval(
    broker: Broker, session: Session, key: PublicKey, unverified: Mapping[str, Any]
) -> VerifiedAssertion:
    site = passkeys.site_of(broker.settings)
    return await broker.storage.read(
        lambda connection: passkeys.verify_hers(connection, site, session, unverified, _challenge_of(key.kid))
    )


def _approval(
    transaction: Transaction, broker: Broker, session: Session, key: PublicKey, approved: VerifiedAssertion | None
) -> Approval:
    """Why this key may be enrolled. Raises Refused(step_up_required) for a further one without an approval."""
    known = {row.kid for row in subjects.devices_of(transaction.connection, session.subject_ref)}
    if not known or key.kid in known:  # what is hers already is not enrolled again
        return Approval("first")
    needed = broker.settings.assurance.sign_sensitive
    if approved is None or approved.passkey.assurance < needed:
        require(session, needed)
        return Approval("sign_in")
    ceremonies.spend(transaction, Purpose.APPROVE, session, _challenge_of(key.kid))
    kept.use(transaction, approved.passkey, approved.sign_count)
    return Approval("passkey", approved.passkey.id)


_PROOF_CLAIMS = {"iss", "aud", "iat", "nbf", "exp", "jti", "nonce"}
