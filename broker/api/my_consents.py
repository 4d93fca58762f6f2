"""/v1/me/consents and /v1/me/accesses: what I granted, taking it back, and who looked."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Recorded, Transaction
from broker.accesses import Page, accesses_of
from broker.api import wire
from broker.login import Session, require, require_fresh
from broker.moments import rfc3339
from broker.own_entries import read_before
from broker.wiring import Broker
from consent import grants, jws, subjects
from consent.claims import Claims, verify_claims
from consent.grants import Granted
from policies.refusals import Code, Refused, TokenRole

router = APIRouter(prefix="/v1/me", tags=["citizens"])


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `withdrawal+jwt` of the device; may be left out by somebody who signed in just now."""

    withdrawal: str = ""


@router.get("/consents")
async def read_consents(request: Request) -> Response:
    """Everything ever granted here over my own data, newest first, and what I signed for others; where each stands."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)

    mine = await broker.storage.read(lambda connection: mine_to_end(connection, session))
    return wire.reply({"consents": [consent_members(granted, session, broker.now()) for granted in mine]})


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
    require(session, broker.settings.assurance.withdraw)
    signed = await _verify_withdrawal(broker, session, withdrawal, jti) if withdrawal else None
    if signed is None:
        require_fresh(session, broker.settings.assurance.withdraw, broker.now())

    def work(transaction: Transaction) -> None:
        granted = _own(transaction.connection, session, jti)
        grants.withdraw(
            transaction,
            granted,
            by="sign_in" if signed is None else "device_key",
            withdrawal_jti=signed.jti if signed is not None else "",
            actor_ref="" if granted.subject_ref == session.subject_ref else session.subject_ref,
        )

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
    """Who looked at my data, newest first, each with its entry and proof; `next` is the next page's `?before=`."""
    session = await wire.signed_in(request)
    before = request.query_params.get("before", "")

    def work(connection: Connection) -> Page:
        return accesses_of(connection, session.subject_ref, read_before(connection, session.subject_ref, before))

    found = await wire.broker_of(request).storage.read(work)
    following = {} if found.following is None else {"next": found.following}
    return wire.reply({"accesses": found.accesses} | following)


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
    for granted in mine_to_end(connection, session):
        if granted.jti == jti:
            return granted
    raise Refused(Code.NOT_FOUND)


def mine_to_end(connection: Connection, session: Session) -> list[Granted]:
    """What stands over my own data, whoever signed it, then what I signed for others: either of us may end it."""
    return [
        *grants.grants_of(connection, session.subject_ref),
        *grants.signed_for_others(connection, session.subject_ref),
    ]


def consent_members(granted: Granted, session: Session, now: float) -> dict[str, Any]:
    """What the person reads of a consent of hers."""
    claims = grants.payload_of(granted.token)
    return {
        "jti": granted.jti,
        "mine": granted.subject_ref == session.subject_ref,
        "requester": granted.requester,
        "matter": granted.matter,
        "case": granted.case,
        "party": granted.party,
        "channel": claims["channel"]["mode"],
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
