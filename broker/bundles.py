"""A bundle asked: one word of a fund centre becomes one request for each recipient, all under one link.

A part whose recipient takes no part here, or that cannot be asked, is left out with its reason; the others go on.
Each recipient reads, pulls and is refused by itself: the fund centre learns how far the parts are, and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from audit.batch import Transaction
from broker import requesters
from broker.asking import ask
from broker.filing import FiledSubject, FilingBody, PartOf
from broker.requesters import Requester, VerifiedRequest
from broker.wiring import Broker
from consent import asking, bundles, requests
from consent.asking import AuthorizationRequest
from consent.bundles import AskedBundle, LeftOut
from consent.tickets import Ticket
from policies.refusals import Code, Refused, TokenRole
from policies.vocabulary import Bundle, BundlePart, SubjectKind

NOT_CONNECTED: Final = "not_connected"
NOTHING_TO_ASK: Final = "nothing_to_ask"
PARTLY: Final = "partly"
_NOT_OF_A_BUNDLE: Final = ("matter", "items", "acting", "witness", "evidence_sha256", "uses", "valid_for")


@dataclass(frozen=True, slots=True)
class FiledBundle:
    """What was filed: the link, and the parts behind it."""

    ticket: Ticket
    asked: AskedBundle


def ask_bundle(
    transaction: Transaction, broker: Broker, verified: VerifiedRequest[FilingBody], lead: Requester
) -> FiledBundle:
    """File every part that can be asked. Raises Refused where none can, with the first part's reason."""
    bundle = _bundle(verified.body, broker)
    of = PartOf(bundles.new_id(), lead.id)
    recipients = _recipients(transaction.connection, lead)
    left_out: list[LeftOut] = []
    first: Refused | None = None
    for part in bundle.parts:
        recipient = recipients.get(broker.catalogue.matters[part.matter].recipient)
        if recipient is None:
            left_out.append(LeftOut(part.matter, part.party, NOT_CONNECTED))
            continue
        try:
            ask(transaction, broker, _part_of(verified, bundle, part), recipient, of)
        except Refused as refused:
            first = first or refused
            left_out.append(LeftOut(part.matter, part.party, _reason(refused)))
    if len(left_out) == len(bundle.parts):
        raise first or Refused(Code.UNKNOWN_MATTER)
    asked = _asked(verified.body, bundle, of, tuple(left_out))
    return FiledBundle(bundles.file(transaction, asked), asked)


def parts_in_order(connection: Connection, broker: Broker, asked: AskedBundle) -> Sequence[AuthorizationRequest]:
    """The parts as the catalogue has them; one that it no longer knows comes last."""
    known = broker.catalogue.bundles.get(asked.bundle)
    places = {(part.matter, str(part.party)): place for place, part in enumerate(known.parts if known else ())}
    found = bundles.parts_of(connection, asked.id)
    return sorted(found, key=lambda part: places.get((part.matter, part.party), len(places)))


def status_of(parts: Sequence[AuthorizationRequest], now: float) -> str:
    """One word for all parts: as of a request, or `partly` where some were granted and some not."""
    states = {part.state(now) for part in parts}
    if len(states) == 1:
        return states.pop()
    if states & {asking.PENDING, asking.OPENED}:
        return asking.OPENED
    return PARTLY if asking.GRANTED in states else asking.DECLINED


def own_bundle(connection: Connection, requester: str, bundle: str) -> AskedBundle:
    """Raises Refused(not_found): another's looks like none at all."""
    asked = bundles.find(connection, bundle)
    if asked is None or asked.requester != requester:
        raise Refused(Code.NOT_FOUND)
    return asked


def cancel_bundle(transaction: Transaction, requester: str, bundle: str) -> None:
    """Take back what is unanswered. Raises Refused(not_found | already_decided)."""
    parts = bundles.parts_of(transaction.connection, own_bundle(transaction.connection, requester, bundle).id)
    unanswered = [part for part in parts if part.status in (asking.PENDING, asking.OPENED)]
    if not unanswered:
        raise Refused(Code.ALREADY_DECIDED)
    for part in unanswered:
        requests.cancel(transaction, part)


def bundle_members(connection: Connection, broker: Broker, asked: AskedBundle) -> dict[str, Any]:
    """How far each part is, on the wire: never what was granted or found in it."""
    parts = parts_in_order(connection, broker, asked)
    return {
        "id": asked.id,
        "status": status_of(parts, broker.now()),
        "bundle": asked.bundle,
        "case": asked.case,
        "parts": [part_members(part, broker.now()) for part in parts],
        "left_out": [{"matter": one.matter, "party": one.party, "reason": one.reason} for one in asked.left_out],
    }


def part_members(part: AuthorizationRequest, now: float) -> dict[str, Any]:
    return {
        "id": part.id,
        "requester": part.requester,
        "matter": part.matter,
        "party": part.party,
        "status": part.state(now),
    }


def _bundle(body: FilingBody, broker: Broker) -> Bundle:
    bundle = broker.catalogue.bundles.get(body.bundle or "")
    if bundle is None:
        raise Refused(Code.UNKNOWN_MATTER)
    for member in _NOT_OF_A_BUNDLE:
        if getattr(body, member) is not None:
            raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member=member)
    known = {(part.matter, part.party) for part in bundle.parts}
    named = [(part.matter, part.party) for part in body.parts or []]
    if not known.issuperset(named) or len(set(named)) != len(named):
        raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member="parts")
    if body.subject is None or body.subject_kind is not bundle.about:
        raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member="subject")
    return bundle


def _recipients(connection: Connection, lead: Requester) -> Mapping[str, Requester]:
    """By department; a fund centre's own matters are the one's where it began."""
    registered = requesters.read_all(connection)
    return {one.department: one for one in registered if one.department and not one.suspended} | {"": lead}


def _part_of(verified: VerifiedRequest[FilingBody], bundle: Bundle, part: BundlePart) -> VerifiedRequest[FilingBody]:
    """The one word, read as the request for this part."""
    body = verified.body
    subject = body.subject
    if subject is not None and subject.handler is not None and bundle.kind_of(part) is SubjectKind.PERSON:
        subject = FiledSubject(subject.handler.name, id_number=subject.handler.id_number)
    named = (one.items for one in body.parts or [] if (one.matter, one.party) == (part.matter, part.party))
    changed = msgspec.structs.replace(
        body,
        bundle=None,
        parts=None,
        matter=part.matter,
        party=part.party,
        subject=subject,
        items=next(named, None),
    )
    return replace(verified, body=changed)


def _reason(refused: Refused) -> str:
    return NOTHING_TO_ASK if refused.refusal.code is Code.UNKNOWN_ITEM else str(refused.refusal.code)


def _asked(body: FilingBody, bundle: Bundle, of: PartOf, left_out: tuple[LeftOut, ...]) -> AskedBundle:
    return AskedBundle(
        id=of.bundle,
        requester=of.lead,
        bundle=bundle.id,
        version=bundle.version,
        case=body.case,
        mode=body.mode,
        operator_desk=body.operator.desk if body.operator is not None else "",
        ticket_expires=0,
        user_code="",
        left_out=left_out,
    )
