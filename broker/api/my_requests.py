"""/v1/me/requests/{ticket}: what I am asked, in plain words; what I would sign; my yes or my no."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit import events, parts
from audit.batch import Transaction
from broker import requesters
from broker.api import wire
from broker.api.authorization_requests import rfc3339
from broker.login import Assurance, Session, require
from broker.wiring import Broker
from consent import composition, grants, jws, requests, subjects
from consent.composition import Choice, Issuance, Signer
from consent.notice import LANGUAGES, OfferedItem, notice_text
from consent.requests import AuthorizationRequest
from consent.status_places import place_of
from consent.token import VerifiedConsent, verify_consent
from policies.refusals import Code, Refused, TokenRole

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


@router.get("")
async def read(request: Request, ticket: str) -> Response:
    """The offer. Opening it is recorded: these words were shown to this person."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    lang = LANGUAGES[1] if request.headers.get("accept-language", "").lower().startswith("en") else LANGUAGES[0]
    recorded = await broker.storage.record(lambda transaction: open_offer(transaction, broker, session, ticket, lang))
    return wire.reply(recorded.value)


@router.post("/compose")
async def compose(request: Request, ticket: str) -> Response:
    """The exact bytes to sign for these choices; any earlier composition is void."""
    session = await wire.changing(request)
    require(session, Assurance.SUBSTANTIAL)
    broker = wire.broker_of(request)
    given = await wire.read_members(request, Composing)
    recorded = await broker.storage.record(lambda transaction: _compose(transaction, broker, session, ticket, given))
    return wire.reply({"signing_input": recorded.value})


@router.post("/consent")
async def consent(request: Request, ticket: str) -> Response:
    """Take the signed consent. 201 with its receipt."""
    session = await wire.changing(request)
    require(session, Assurance.SUBSTANTIAL)
    broker = wire.broker_of(request)
    given = await wire.read_members(request, Signed)
    verified = await broker.storage.read(lambda connection: _verify(connection, broker, session, given.consent))
    recorded = await broker.storage.record(lambda transaction: _grant(transaction, broker, session, ticket, verified))
    answer = {"status": requests.GRANTED, "jti": verified.claims.jti, "receipt": wire.receipts(recorded)}
    return wire.reply(answer, 201)


@router.post("/decline")
async def decline(request: Request, ticket: str) -> Response:
    """A clear no."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    recorded = await broker.storage.record(lambda transaction: decline_offer(transaction, broker, session, ticket))
    return wire.reply({"status": requests.DECLINED, "receipt": wire.receipts(recorded)})


def _mine(connection: Connection, broker: Broker, session: Session, ticket: str) -> AuthorizationRequest:
    me = subjects.read_people(connection, broker.keys.subjects, [session.subject_ref]).get(session.subject_ref)
    if me is None:
        raise Refused(Code.NOT_SIGNED_IN)
    asked = requests.find_by_ticket(connection, ticket)
    return requests.belonging_to(asked, broker.keys.subjects, session.subject_ref, me.name)


def _answerable(transaction: Transaction, broker: Broker, session: Session, ticket: str) -> AuthorizationRequest:
    asked = _mine(transaction.connection, broker, session, ticket)
    requests.answerable(asked, transaction.time / 1_000_000)
    return asked


def decline_offer(transaction: Transaction, broker: Broker, session: Session, ticket: str) -> None:
    """Unit of work: a clear no. Raises Refused where it is not hers to answer, or no longer."""
    requests.decline(transaction, _answerable(transaction, broker, session, ticket), session.subject_ref)


def open_offer(transaction: Transaction, broker: Broker, session: Session, ticket: str, lang: str) -> dict[str, Any]:
    """Unit of work: the offer's members, as shown to this person from now on. Raises Refused."""
    asked = _mine(transaction.connection, broker, session, ticket)
    now = transaction.time / 1_000_000
    if asked.state(now) == requests.EXPIRED:
        raise Refused(Code.REQUEST_EXPIRED)
    offered = composition.offered_items(asked, broker.catalogue)
    requester = requesters.find(transaction.connection, asked.requester)
    if requester is None:
        raise Refused(Code.NOT_FOUND)
    terms = composition.terms_of(asked, broker.catalogue, requester.name_zh, requester.name_en)
    if asked.status in (requests.PENDING, requests.OPENED):
        text, status = notice_text(lang, terms, offered), requests.OPENED
        notice = requests.record_opened(transaction, asked, session.subject_ref, lang, text)
    else:  # answered: the words stay those that were shown
        lang, text, status = asked.notice_lang or lang, asked.notice_text or "", asked.status
        notice = requests.notice_of(asked, lang, text)
    english = lang == LANGUAGES[1]
    return {
        "id": asked.id,
        "status": status,
        "requester": {"id": requester.id, "name": requester.name_en if english else requester.name_zh},
        "matter": {"id": asked.matter, "name": terms.matter.name_en if english else terms.matter.name_zh},
        "matter_version": asked.matter_version,
        "case": asked.case,
        "party": asked.party,
        "items": [_offer_members(line, english=english) for line in offered],
        "uses": asked.uses,
        "valid_for": asked.valid_for,
        "expires_at": rfc3339(asked.ticket_expires),
        "user_code": asked.user_code,
        "otherwise": terms.matter.otherwise_en if english else terms.matter.otherwise_zh,
        "notice": msgspec.to_builtins(notice),
        "notice_text": text,
    }


def _compose(transaction: Transaction, broker: Broker, session: Session, ticket: str, given: Composing) -> str:
    asked = _answerable(transaction, broker, session, ticket)
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
    sub = subjects.pseudonym(transaction, session.subject_ref, asked.requester)
    key = subjects.device_key(device)
    payload = composition.compose(
        asked,
        chosen,
        Signer(key=key, sub=sub),
        notice=requests.notice_of(asked, asked.notice_lang, asked.notice_text),
        issuance=Issuance(
            issuer=broker.settings.issuer,
            now=transaction.time // 1_000_000,
            status=broker.status_lists.reference(place_of(transaction, asked.id)),
        ),
    )
    requests.record_composition(transaction, asked, payload)
    return composition.signing_input(key, payload)


def _verify(connection: Connection, broker: Broker, session: Session, text: str) -> VerifiedConsent:
    device = subjects.find_device(connection, jws.read_form(text, jws.CONSENT).header["kid"])
    mine = device is not None and device.subject_ref == session.subject_ref and device.removed_at is None
    key = subjects.device_key(device) if device is not None and mine else None
    return verify_consent(text, key_of=lambda _: key, audience=broker.settings.issuer, now=broker.now())


def _grant(transaction: Transaction, broker: Broker, session: Session, ticket: str, consent: VerifiedConsent) -> None:
    asked = _answerable(transaction, broker, session, ticket)
    signed = grants.canonical(grants.payload_of(consent.text))
    if asked.composition is None or signed != grants.canonical(msgspec.json.decode(asked.composition)):
        raise Refused(Code.CONSENT_MISMATCH, TokenRole.CONSENT)
    claims = consent.claims
    grants.record_grant(transaction, consent, session.subject_ref, session.assurance)
    requests.record_granted(transaction, asked, consent.id)
    transaction.append(
        events.ConsentGranted(
            request=asked.id,
            requester=asked.requester,
            subject_ref=session.subject_ref,
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
            assurance=session.assurance,
        )
    )


def _offer_members(line: OfferedItem, *, english: bool) -> dict[str, Any]:
    return {
        "item": line.item.id,
        "name": line.item.name_en if english else line.item.name_zh,
        "kind": line.item.kind,
        "department": line.department.id,
        "department_name": line.department.name_en if english else line.department.name_zh,
        "fields": [
            {
                "field": field.id,
                "name": field.name_en if english else field.name_zh,
                "example": field.example,
                "sensitive": field.sensitive,
            }
            for field in line.fields
        ],
        "params": dict(line.params),
        "expect": dict(line.expect),
        "required": line.required,
        "sensitive": line.sensitive,
        "purpose": line.need.purpose_en if english else line.need.purpose_zh,
        "legal_basis": line.need.legal_basis,
        "keep_days": line.need.keep_days,
    }
