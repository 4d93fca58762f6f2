"""A requester asks one person: filed, opened, composed, then granted, declined, cancelled or expired.

A request's ticket is all that its link holds; whoever is not its subject opens nothing. Every change is a unit of work
that the caller gives to the ledger.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import insert, select, update

from audit import events, parts
from audit.batch import Transaction
from consent import tables
from consent.asking import CANCELLED, DECLINED, GRANTED, OPENED, PENDING, AskedItem, AuthorizationRequest, read_row
from consent.subjects import SubjectKeys
from consent.tickets import TICKET_LIFE, Ticket, new_ticket, ticket_columns
from policies.refusals import Code, Refused
from policies.vocabulary import SubjectKind

_CHECKS: Final = {"subject_ref": "name_check", "actor_ref": "actor_check", "witness_ref": "witness_check"}
"""Who is named, and beside it the keyed check of the name."""


@dataclass(frozen=True, slots=True)
class Filing:
    """An authorization request as its requester signed it, already checked against the catalogue."""

    requester: str
    kid: str
    jti: str
    matter: str
    matter_version: str
    case: str
    party: str
    mode: str
    items: tuple[AskedItem, ...]
    uses: int
    valid_for: int
    operator: parts.Operator
    subject_kind: SubjectKind = SubjectKind.PERSON
    bundle: str = ""
    """The bundle's request of which this is a part, and the requester at which it began."""
    lead: str = ""
    evidence_sha256: str = ""
    """Of the paper by which somebody may act for the subject; the paper stays with the requester."""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody whom a requester names; of the name only a keyed check is kept."""

    subject_ref: str
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class People:
    """Whom a request concerns. Without a subject it belongs to whoever opens it first."""

    subject: Named | None = None
    actor: Named | None = None
    """Who signs for the subject, where she does not sign herself."""
    witness: Named | None = None


def file(transaction: Transaction, filing: Filing, keys: SubjectKeys, people: People) -> Ticket:
    """Keep the request and make its ticket."""
    request = f"ar_{secrets.token_urlsafe(16)}"
    ticket = new_ticket(request, filing.mode, transaction.time // 1_000_000)
    transaction.connection.execute(
        insert(tables.request).values(
            id=request,
            **ticket_columns(ticket),
            requester=filing.requester,
            matter=filing.matter,
            matter_version=filing.matter_version,
            case=filing.case,
            party=filing.party,
            mode=filing.mode,
            items=json.dumps([_asked_members(asked) for asked in filing.items]).encode(),
            uses=filing.uses,
            valid_for=filing.valid_for,
            operator_id=filing.operator.id,
            operator_desk=filing.operator.desk,
            **_people_columns(request, keys, people),
            evidence_sha256=filing.evidence_sha256 or None,
            subject_kind=filing.subject_kind,
            bundle=filing.bundle or None,
            status=PENDING,
            filed_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(_asked_event(request, filing, people))
    return ticket


def renew(transaction: Transaction, asked: AuthorizationRequest) -> Ticket:
    """A new ticket for an unanswered request; the old link is dead from this commit on."""
    _unanswered(asked)
    ticket = new_ticket(asked.id, asked.mode, transaction.time // 1_000_000)
    _set(transaction, asked, **ticket_columns(ticket))
    return ticket


def cancel(transaction: Transaction, asked: AuthorizationRequest) -> None:
    _unanswered(asked)
    _set(transaction, asked, status=CANCELLED)
    transaction.append(events.ConsentCancelled(**_names(asked)))


def answerable(asked: AuthorizationRequest, now: float) -> None:
    """Refused(request_expired | already_decided) where the person can no longer answer it."""
    _unanswered(asked)
    if asked.ticket_expires <= now:
        raise Refused(Code.REQUEST_EXPIRED)


def record_opened(
    transaction: Transaction, asked: AuthorizationRequest, subject_ref: str, lang: str, text: str
) -> parts.Notice:
    """The signer sees these words now. Binds a request that named nobody to this person."""
    notice = notice_of(asked, lang, text)
    subject = asked.subject_ref or subject_ref
    if (asked.status, asked.subject_ref, asked.notice_lang, asked.notice_text) != (OPENED, subject, lang, text):
        _set(transaction, asked, status=OPENED, subject_ref=subject, notice_lang=lang, notice_text=text.encode())
        transaction.append(
            events.ConsentShown(
                request=asked.id,
                requester=asked.requester,
                subject_ref=subject,
                actor_ref=asked.actor_ref or "",
                matter=asked.matter,
                case=asked.case,
                notice=notice,
            )
        )
    return notice


def record_composition(transaction: Transaction, asked: AuthorizationRequest, payload: bytes) -> None:
    """What is to be signed; any earlier composition is void."""
    _set(transaction, asked, composition=payload)


def record_granted(transaction: Transaction, asked: AuthorizationRequest, consent: tuple[str, str]) -> None:
    _set(transaction, asked, status=GRANTED, consent_iss=consent[0], consent_jti=consent[1])


def decline(transaction: Transaction, asked: AuthorizationRequest, subject_ref: str) -> None:
    """A clear no, remembered for the case."""
    subject = asked.subject_ref or subject_ref
    _set(transaction, asked, status=DECLINED, subject_ref=subject)
    by = "" if subject == subject_ref else subject_ref
    transaction.append(events.ConsentDeclined(**_names(asked), subject_ref=subject, actor_ref=by))


def reopen(transaction: Transaction, asked: AuthorizationRequest) -> None:
    """Who said no looks at it again, of her own accord: nobody else can undo a clear no.

    It waits anew for as long as any new request. Raises Refused(already_decided) where there was no such no.
    """
    if asked.status != DECLINED:
        raise Refused(Code.ALREADY_DECIDED)
    expires = transaction.time // 1_000_000 + TICKET_LIFE[asked.mode]
    _set(transaction, asked, status=OPENED, ticket_expires=expires, composition=None)
    transaction.append(events.ConsentReopened(**_names(asked), subject_ref=asked.subject_ref or ""))


def witness(transaction: Transaction, asked: AuthorizationRequest) -> None:
    """The second person confirms: the subject is here, and the paper is hers. Before it nothing can be signed."""
    if asked.witnessed_at is None:
        _set(transaction, asked, witnessed_at=transaction.time // 1_000_000)
        transaction.append(
            events.ConsentWitnessed(
                **_names(asked), subject_ref=asked.subject_ref or "", witness_ref=asked.witness_ref or ""
            )
        )


def forget_person(transaction: Transaction, subject_ref: str) -> None:
    """Cancel what waits for this person, and empty what any request holds of her."""
    table = tables.request
    for column, check in _CHECKS.items():
        for row in transaction.connection.execute(select(table).where(table.c[column] == subject_ref)).all():
            asked = read_row(row)
            if asked.status in (PENDING, OPENED):
                cancel(transaction, asked)
            _set(transaction, asked, **{check: None})
            if column == "subject_ref":
                items = [_asked_members(one) | {"expect": {}} for one in asked.items]
                _set(transaction, asked, items=json.dumps(items).encode(), notice_text=None, composition=None)


def notice_of(asked: AuthorizationRequest, lang: str, text: str) -> parts.Notice:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return parts.Notice(id=asked.matter, version=asked.matter_version, lang=lang, sha256=digest)


def _unanswered(asked: AuthorizationRequest) -> None:
    if asked.status not in (PENDING, OPENED):
        raise Refused(Code.ALREADY_DECIDED)


def _set(transaction: Transaction, asked: AuthorizationRequest, **values: Any) -> None:
    transaction.connection.execute(update(tables.request).where(tables.request.c.id == asked.id).values(**values))


def _asked_members(asked: AskedItem) -> dict[str, Any]:
    return {
        "item": asked.item,
        "fields": list(asked.fields),
        "required": asked.required,
        "params": dict(asked.params),
        "expect": dict(asked.expect),
    }


def _people_columns(request: str, keys: SubjectKeys, people: People) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for (reference, check), named in zip(_CHECKS.items(), (people.subject, people.actor, people.witness), strict=True):
        if named is not None:
            columns |= {reference: named.subject_ref, check: keys.name_check(request, named.name)}
    return columns


def _names(asked: AuthorizationRequest) -> dict[str, str]:
    return {"request": asked.id, "requester": asked.requester, "matter": asked.matter, "case": asked.case}


def _asked_event(request: str, filing: Filing, people: People) -> events.ConsentAsked:
    return events.ConsentAsked(
        request=request,
        requester=filing.requester,
        kid=filing.kid,
        request_jti=filing.jti,
        matter=filing.matter,
        matter_version=filing.matter_version,
        case=filing.case,
        party=filing.party,
        mode=filing.mode,
        items=[parts.AskedItem(asked.item, list(asked.fields), asked.required) for asked in filing.items],
        uses=filing.uses,
        valid_for=filing.valid_for,
        operator=filing.operator,
        subject_ref=people.subject.subject_ref if people.subject is not None else "",
        actor_ref=people.actor.subject_ref if people.actor is not None else "",
        witness_ref=people.witness.subject_ref if people.witness is not None else "",
        evidence_sha256=filing.evidence_sha256,
        bundle=filing.bundle,
        lead=filing.lead,
    )
