"""/v1/me/consents and /v1/me/accesses: what I granted, taking it back, and who looked."""

from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Recorded, Transaction
from broker.accesses import accesses_of
from broker.api import wire
from broker.api.authorization_requests import rfc3339
from broker.login import Session
from broker.wiring import Broker
from consent import grants, jws, subjects
from consent.claims import Claims, verify_claims
from consent.grants import Granted
from policies.refusals import Code, Refused, TokenRole

router = APIRouter(prefix="/v1/me", tags=["citizens"])

FRESH_SIGN_IN: Final = 5 * 60
"""Seconds after signing in during which a withdrawal needs no device."""


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `withdrawal+jwt` of the device; may be left out by somebody who signed in just now."""

    withdrawal: str = ""


@router.get("/consents")
async def read_consents(request: Request) -> Response:
    """Everything I ever granted here, newest first, and where it stands."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    mine = await broker.storage.read(lambda connection: grants.grants_of(connection, session.subject_ref))
    return wire.reply({"consents": [consent_members(granted, broker.now()) for granted in mine]})


@router.post("/consents/{jti}/withdraw")
async def withdraw(request: Request, jti: str) -> Response:
    """Effective at this commit: nothing new is admitted, nothing under way is released."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    given = await wire.read_members(request, Withdrawal, empty=b"{}")
    recorded = await withdraw_consent(broker, session, jti, given.withdrawal)
    return wire.reply({"jti": jti, "status": grants.WITHDRAWN, "receipt": wire.receipts(recorded)})


async def withdraw_consent(broker: Broker, session: Session, jti: str, withdrawal: str) -> Recorded[None]:
    """End a consent by the device's `withdrawal`, or without one (empty) soon after a sign-in. Raises Refused."""
    signed = await _verify_withdrawal(broker, session, withdrawal, jti) if withdrawal else None
    if signed is None and broker.now() - session.signed_in_at > FRESH_SIGN_IN:
        raise Refused(Code.STEP_UP_REQUIRED)

    def work(transaction: Transaction) -> None:
        by = "sign_in" if signed is None else "device_key"
        granted = _own(transaction.connection, session, jti)
        grants.withdraw(transaction, granted, by=by, withdrawal_jti=signed.jti if signed is not None else "")

    return await broker.storage.record(work)


@router.post("/consents/{jti}/pause")
async def pause(request: Request, jti: str) -> Response:
    """Nothing is admitted or released until it is resumed."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    recorded = await broker.storage.record(lambda transaction: pause_consent(transaction, session, jti))
    return wire.reply({"jti": jti, "status": grants.PAUSED, "receipt": wire.receipts(recorded)})


@router.post("/consents/{jti}/resume")
async def resume(request: Request, jti: str) -> Response:
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    recorded = await broker.storage.record(lambda transaction: resume_consent(transaction, session, jti))
    return wire.reply({"jti": jti, "status": grants.ACTIVE, "receipt": wire.receipts(recorded)})


def pause_consent(transaction: Transaction, session: Session, jti: str) -> None:
    """Unit of work. Raises Refused."""
    grants.pause(transaction, _own(transaction.connection, session, jti))


def resume_consent(transaction: Transaction, session: Session, jti: str) -> None:
    """Unit of work. Raises Refused."""
    grants.resume(transaction, _own(transaction.connection, session, jti))


@router.get("/accesses")
async def read_accesses(request: Request) -> Response:
    """Who looked at my data, newest first, each with its entry and proof."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    mine = await broker.storage.read(lambda connection: accesses_of(connection, session.subject_ref))
    return wire.reply({"accesses": mine})


async def _verify_withdrawal(broker: Broker, session: Session, text: str, jti: str) -> Claims:
    token, claims = jws.read_token(text, jws.WITHDRAWAL, "withdrawal+jwt")
    device = await broker.storage.read(lambda connection: subjects.find_device(connection, token.header["kid"]))
    mine = device is not None and device.subject_ref == session.subject_ref and device.removed_at is None
    jws.verify_signature(token, subjects.device_key(device) if device is not None and mine else None)
    verified = verify_claims(claims, profile=jws.WITHDRAWAL, audience=broker.settings.issuer, now=broker.now())
    if verified.iss != token.header["kid"] or not claims.keys() <= _WITHDRAWAL_CLAIMS:
        raise Refused(Code.MALFORMED_TOKEN, TokenRole.WITHDRAWAL)
    if claims.get("consent") != jti:
        raise Refused(Code.CONSENT_MISMATCH, TokenRole.WITHDRAWAL)
    return verified


def _own(connection: Connection, session: Session, jti: str) -> Granted:
    for granted in grants.grants_of(connection, session.subject_ref):
        if granted.jti == jti:
            return granted
    raise Refused(Code.NOT_FOUND)


def consent_members(granted: Granted, now: float) -> dict[str, Any]:
    """What the person reads of a consent of hers."""
    claims = grants.payload_of(granted.token)
    return {
        "jti": granted.jti,
        "requester": granted.requester,
        "matter": granted.matter,
        "case": granted.case,
        "party": granted.party,
        "status": granted.state(now),
        "items": [
            {name: detail[name] for name in ("item", "department", "fields", "purpose", "keep_days")}
            for detail in claims["authorization_details"]
        ],
        "uses": granted.uses,
        "left": granted.left,
        "granted_at": rfc3339(granted.granted_at),
        "expires_at": rfc3339(granted.expires),
        "ended_at": rfc3339(granted.ended_at) if granted.ended_at is not None else None,
        "consent": granted.token,
    }


_WITHDRAWAL_CLAIMS = {"iss", "aud", "iat", "nbf", "exp", "jti", "consent"}
