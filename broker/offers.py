"""What a signed-in person is offered: one request, or all parts of a bundle, in plain words and on the wire alike."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from audit.batch import Transaction
from broker import requesters
from broker.bundles import parts_in_order
from broker.login import Session
from broker.moments import rfc3339
from broker.names import Names
from broker.wiring import Broker
from consent import asking, bundles, composition, requests, subjects
from consent.asking import AuthorizationRequest, Role
from consent.bundles import AskedBundle
from consent.notice import LANGUAGES, OfferedItem, notice_text
from policies.refusals import Code, Refused


def open_address(transaction: Transaction, broker: Broker, session: Session, address: str, lang: str) -> dict[str, Any]:
    """Unit of work: what a ticket or an id opens for this person. Raises Refused."""
    bundle = bundles.find_addressed(transaction.connection, address)
    if bundle is not None:
        return _open_bundle(transaction, broker, session, bundle, lang)
    return open_offer(transaction, broker, session, address, lang)


def mine(connection: Connection, broker: Broker, session: Session, ticket: str) -> tuple[AuthorizationRequest, Role]:
    """The request behind a ticket or an id, and what I am to it. Raises Refused(not_found | not_the_subject)."""
    me = subjects.read_person(connection, broker.keys.subjects, session.subject_ref)
    if me is None:
        raise Refused(Code.NOT_SIGNED_IN)
    asked = asking.find_addressed(connection, ticket)
    return asked, asked.role_of(broker.keys.subjects, session.subject_ref, me.name)


def _open_bundle(
    transaction: Transaction, broker: Broker, session: Session, asked: AskedBundle, lang: str
) -> dict[str, Any]:
    """Every part that is not too late, each as a request of its own. Raises Refused(request_expired) where all are."""
    now = transaction.time / 1_000_000
    parts = parts_in_order(transaction.connection, broker, asked)
    open_parts = [part for part in parts if part.state(now) != asking.EXPIRED]
    for part in parts:  # whoever it is not about learns nothing, not even that it is too late
        mine(transaction.connection, broker, session, part.id)
    if not open_parts:
        raise Refused(Code.REQUEST_EXPIRED)
    names = Names.read(transaction.connection, broker.catalogue, english=lang == LANGUAGES[1])
    return {
        "id": asked.id,
        "bundle": {"id": asked.bundle, "name": names.bundle(asked.bundle)},
        "requester": {"id": asked.requester, "name": names.requester(asked.requester)},
        "case": asked.case,
        "mode": asked.mode,
        "desk": asked.operator_desk,
        "user_code": asked.user_code,
        "expires_at": rfc3339(asked.ticket_expires),
        "parts": [open_offer(transaction, broker, session, part.id, lang) for part in open_parts],
        "left_out": left_out_members(names, asked),
    }


def left_out_members(names: Names, asked: AskedBundle) -> list[dict[str, str]]:
    """The parts that could not be asked here: whose business they are, and why not."""
    matters = names.catalogue.matters
    return [
        {
            "matter": one.matter,
            "name": names.matter(one.matter),
            "recipient": names.department(matters[one.matter].recipient) if one.matter in matters else "",
            "party": one.party,
            "reason": one.reason,
        }
        for one in asked.left_out
    ]


def open_offer(transaction: Transaction, broker: Broker, session: Session, ticket: str, lang: str) -> dict[str, Any]:
    """Unit of work: the offer's members, as shown to its signer from now on. Raises Refused."""
    asked, role = mine(transaction.connection, broker, session, ticket)
    if asked.state(transaction.time / 1_000_000) == asking.EXPIRED:
        raise Refused(Code.REQUEST_EXPIRED)
    offered = composition.offered_items(asked, broker.catalogue)
    requester = requesters.find(transaction.connection, asked.requester)
    if requester is None:
        raise Refused(Code.NOT_FOUND)
    terms = composition.terms_of(asked, broker.catalogue, requester.name_zh, requester.name_en)
    if asked.status in (asking.PENDING, asking.OPENED):
        text, status = notice_text(lang, terms, offered), asked.status
        notice = requests.notice_of(asked, lang, text)
        if role is Role.SIGNER:
            status = asking.OPENED
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
        "subject_kind": asked.subject_kind,
        "mode": asked.mode,
        "role": role,
        "desk": asked.operator_desk,
        "witnessed": asked.witnessed_at is not None,
        "items": [_offer_members(line, english=english) for line in offered],
        "uses": asked.uses,
        "valid_for": asked.valid_for,
        "expires_at": rfc3339(asked.ticket_expires),
        "user_code": asked.user_code,
        "otherwise": terms.matter.otherwise_en if english else terms.matter.otherwise_zh,
        "notice": msgspec.to_builtins(notice),
        "notice_text": text,
    }


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
