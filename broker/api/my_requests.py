"""/v1/me/requests/{ticket}: what I am asked, in plain words; what I would sign; my yes or my no."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit import events, parts
from audit.batch import Transaction
from broker.api import wire
from broker.evidence import Authority, authority_to_sign, evidence_needed
from broker.login import Session, require
from broker.offers import mine, open_address
from broker.wiring import Broker
from consent import asking, bundles, composition, grants, jws, requests, subjects
from consent.asking import AuthorizationRequest, Role
from consent.bundles import AskedBundle
from consent.composition import Choice, Issuance, Signer
from consent.notice import LANGUAGES
from consent.status_places import place_of
from consent.token import VerifiedConsent, verify_consent
from policies.refusals import Code, Refusal, Refused, TokenRole

router = APIRouter(prefix="/v1/me/requests/{ticket}", tags=["citizens"])


class ChosenItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    item: str
    fields: list[str] | None = None


class Composing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What I agree to (item ids, or items with fewer fields) and the device that will sign."""

    items: list[str | ChosenItem]
    kid: str


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    consent: str
    assertion: dict[str, Any] | None = None
    """A passkey's answer over the signed text (AuthenticationResponseJSON), where composing asked for one."""


@router.get("")
async def read(request: Request, ticket: str) -> Response:
    """The offer, or those of a bundle's parts. Opening is recorded: these words were shown to this person."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    lang = LANGUAGES[1] if wire.reads_english(request) else LANGUAGES[0]
    recorded = await broker.storage.record(lambda transaction: open_address(transaction, broker, session, ticket, lang))
    return wire.reply(recorded.value)


@router.post("/compose")
async def compose(request: Request, ticket: str) -> Response:
    """The exact bytes to sign for these choices; any earlier composition is void.

    `evidence` is what a passkey must be asked first: the choices are sensitive and the session is not sure enough.
    """
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    require(session, broker.settings.assurance.sign)
    given = await wire.read_members(request, Composing)
    recorded = await broker.storage.record(lambda transaction: _compose(transaction, broker, session, ticket, given))
    return wire.reply(recorded.value)


@router.post("/consent")
async def consent(request: Request, ticket: str) -> Response:
    """Take the signed consent. 201 with its receipt."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    require(session, broker.settings.assurance.sign)
    given = await wire.read_members(request, Signed)
    verified = await broker.storage.read(lambda connection: _verify(connection, broker, session, given.consent))
    authority = await broker.storage.read(
        lambda connection: authority_to_sign(
            connection, broker.settings, broker.catalogue, session, verified, given.assertion
        )
    )
    recorded = await broker.storage.record(
        lambda transaction: _grant(transaction, broker, session, ticket, verified, authority)
    )
    answer = {"status": asking.GRANTED, "jti": verified.claims.jti, "receipt": wire.receipts(recorded)}
    return wire.reply(answer, 201)


@router.post("/decline")
async def decline(request: Request, ticket: str) -> Response:
    """A clear no."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    recorded = await broker.storage.record(lambda transaction: decline_offer(transaction, broker, session, ticket))
    return wire.reply({"status": asking.DECLINED, "receipt": wire.receipts(recorded)})


@router.post("/reopen")
async def reopen(request: Request, ticket: str) -> Response:
    """I had said no, and want to look at it again. Only I can: nobody may ask me again."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    recorded = await broker.storage.record(lambda transaction: reopen_offer(transaction, broker, session, ticket))
    return wire.reply({"status": asking.OPENED, "receipt": wire.receipts(recorded)})


@router.post("/witness")
async def witness(request: Request, ticket: str) -> Response:
    """I am the second person of an assisted authorization: she is here, and the paper is hers."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    require(session, broker.settings.assurance.sign)
    await broker.storage.record(lambda transaction: witness_offer(transaction, broker, session, ticket))
    return wire.reply({"witnessed": True})


def _answerable(
    transaction: Transaction, broker: Broker, session: Session, ticket: str, *roles: Role
) -> AuthorizationRequest:
    asked, role = mine(transaction.connection, broker, session, ticket)
    if role not in roles:
        raise Refused(Code.NOT_THE_SUBJECT)
    requests.answerable(asked, transaction.time / 1_000_000)
    return asked


def decline_offer(transaction: Transaction, broker: Broker, session: Session, ticket: str) -> None:
    """Unit of work: a clear no, by who is to sign or whose data it is; to all that waits of a bundle. May refuse."""
    bundle = bundles.find_addressed(transaction.connection, ticket)
    for part in [ticket] if bundle is None else _waiting_parts(transaction, bundle):
        asked = _answerable(transaction, broker, session, part, Role.SIGNER, Role.SUBJECT)
        requests.decline(transaction, asked, session.subject_ref)


def _waiting_parts(transaction: Transaction, bundle: AskedBundle) -> list[str]:
    parts = bundles.parts_of(transaction.connection, bundle.id)
    waiting = [part.id for part in parts if part.status in (asking.PENDING, asking.OPENED)]
    if not waiting:
        raise Refused(Code.ALREADY_DECIDED)
    return waiting


def reopen_offer(transaction: Transaction, broker: Broker, session: Session, ticket: str) -> None:
    """Unit of work. Raises Refused."""
    asked, role = mine(transaction.connection, broker, session, ticket)
    if role is Role.WITNESS:
        raise Refused(Code.NOT_THE_SUBJECT)
    composition.offered_items(asked, broker.catalogue)  # of a matter that has changed since, nothing can be signed
    requests.reopen(transaction, asked)


def witness_offer(transaction: Transaction, broker: Broker, session: Session, ticket: str) -> None:
    """Unit of work. Raises Refused."""
    requests.witness(transaction, _answerable(transaction, broker, session, ticket, Role.WITNESS))


def _compose(
    transaction: Transaction, broker: Broker, session: Session, ticket: str, given: Composing
) -> dict[str, Any]:
    asked = _signable(transaction, broker, session, ticket)
    if asked.notice_text is None or asked.notice_lang is None or asked.subject_ref is None:
        raise Refused(Code.CONSENT_MISMATCH)  # nothing was shown yet, so nothing can be signed
    device = subjects.find_device(transaction.connection, given.kid)
    if device is None or device.subject_ref != session.subject_ref or device.removed_at is not None:
        raise Refused(Code.UNKNOWN_KEY, TokenRole.DEVICE)
    choices = [
        Choice(one) if isinstance(one, str) else Choice(one.item, tuple(one.fields) if one.fields is not None else None)
        for one in given.items
    ]
    chosen = composition.choose(composition.offered_items(asked, broker.catalogue), choices)
    key = subjects.device_key(device)
    sub, act = (
        subjects.pseudonym(transaction, one, asked.requester) if one is not None else ""
        for one in (asked.subject_ref, asked.actor_ref)
    )
    payload = composition.compose(
        asked,
        chosen,
        Signer(key=key, sub=sub, act=act),
        notice=requests.notice_of(asked, asked.notice_lang, asked.notice_text),
        issuance=Issuance(
            issuer=broker.settings.issuer,
            now=transaction.time // 1_000_000,
            status=broker.status_lists.reference(place_of(transaction, asked.id)),
        ),
    )
    requests.record_composition(transaction, asked, payload)
    text = composition.signing_input(key, payload)
    sensitive = any(line.sensitive for line in chosen)
    evidence = evidence_needed(transaction.connection, broker.settings, session, text, sensitive=sensitive)
    return {"signing_input": text} | ({"evidence": evidence} if evidence is not None else {})


def _verify(connection: Connection, broker: Broker, session: Session, text: str) -> VerifiedConsent:
    device = subjects.find_device(connection, jws.read_form(text, jws.CONSENT).header["kid"])
    mine = device is not None and device.subject_ref == session.subject_ref and device.removed_at is None
    key = subjects.device_key(device) if device is not None and mine else None
    return verify_consent(text, key_of=lambda _: key, audience=broker.settings.issuer, now=broker.now())


def _signable(transaction: Transaction, broker: Broker, session: Session, ticket: str) -> AuthorizationRequest:
    asked = _answerable(transaction, broker, session, ticket, Role.SIGNER)
    if asked.witness_ref is not None and asked.witnessed_at is None:
        raise Refused.because(Refusal(Code.POLICY_REFUSED, reasons=("witness_missing",)))
    return asked


def _grant(
    transaction: Transaction,
    broker: Broker,
    session: Session,
    ticket: str,
    consent: VerifiedConsent,
    authority: Authority,
) -> None:
    asked = _signable(transaction, broker, session, ticket)
    signed = grants.canonical(grants.payload_of(consent.text))
    if asked.composition is None or signed != grants.canonical(msgspec.json.decode(asked.composition)):
        raise Refused(Code.CONSENT_MISMATCH, TokenRole.CONSENT)
    claims = consent.claims
    subject_ref = asked.subject_ref or session.subject_ref
    grants.record_grant(transaction, consent, asked, subject_ref=subject_ref, assurance=authority.assurance)
    authority.keep(transaction, consent)
    requests.record_granted(transaction, asked, consent.id)
    transaction.append(
        events.ConsentGranted(
            request=asked.id,
            requester=asked.requester,
            subject_ref=subject_ref,
            actor_ref=asked.actor_ref or "",
            acting_evidence_sha256=asked.evidence_sha256,
            consent=parts.Consent(*consent.id),
            matter=claims.matter,
            matter_version=claims.matter_version,
            case=claims.case,
            party=claims.party,
            channel=claims.channel.mode,
            uses=claims.uses,
            expires=claims.exp,
            items=composition.granted_items(claims),
            notice=parts.Notice(*msgspec.structs.astuple(claims.notice)),
            token_sha256=consent.sha256,
            assurance=authority.assurance,
            evidence_sha256=authority.sha256,
        )
    )
