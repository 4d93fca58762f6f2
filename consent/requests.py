"""A requester asks one person: filed, opened, composed, then granted, declined, cancelled or expired.

A request's ticket is all that its link holds; whoever is not its subject opens nothing. Every change is a unit of work
that the caller gives to the ledger.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from audit import events, parts
from audit.batch import Transaction
from consent import tables
from consent.subjects import SubjectKeys
from consent.tickets import Ticket, new_ticket, ticket_columns, ticket_hash
from policies.refusals import Code, Refused
from policies.vocabulary import Scalar

PENDING: Final = "pending"
OPENED: Final = "opened"
GRANTED: Final = "granted"
DECLINED: Final = "declined"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"


@dataclass(frozen=True, slots=True)
class AskedItem:
    """One item as asked for, already checked against the catalogue."""

    item: str
    fields: tuple[str, ...]
    required: bool
    params: Mapping[str, str]
    expect: Mapping[str, Scalar] = field(repr=False)


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


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request's row at one moment."""

    id: str
    requester: str
    matter: str
    matter_version: str
    case: str
    party: str
    mode: str
    items: tuple[AskedItem, ...]
    uses: int
    valid_for: int
    subject_ref: str | None
    name_check: bytes | None = field(repr=False)
    status: str
    ticket_expires: int
    user_code: str
    notice_lang: str | None
    notice_text: str | None = field(repr=False)
    composition: bytes | None = field(repr=False)
    consent: tuple[str, str] | None

    def state(self, now: float) -> str:
        """The status on the wire; an unanswered request whose ticket has ended is expired."""
        if self.status in (PENDING, OPENED) and self.ticket_expires <= now:
            return EXPIRED
        return self.status


def file(transaction: Transaction, filing: Filing, named: tuple[str, SubjectKeys, str] | None) -> Ticket:
    """Keep the request and make its ticket.

    `named` is the person it is for: reference, keys and name, of which only a keyed check is kept. Without it, the
    request belongs to whoever opens it first.
    """
    subject_ref, keys, name = named if named is not None else (None, None, "")
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
            subject_ref=subject_ref,
            name_check=keys.name_check(request, name) if keys is not None else None,
            status=PENDING,
            filed_at=transaction.time // 1_000_000,
        )
    )
    transaction.append(_asked_event(request, filing, subject_ref or ""))
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
    transaction.append(
        events.ConsentCancelled(request=asked.id, requester=asked.requester, matter=asked.matter, case=asked.case)
    )


def find(connection: Connection, request: str) -> AuthorizationRequest | None:
    return _read(connection, tables.request.c.id == request)


def find_by_ticket(connection: Connection, secret: str) -> AuthorizationRequest | None:
    return _read(connection, tables.request.c.ticket_hash == ticket_hash(secret))


def belonging_to(
    asked: AuthorizationRequest | None, keys: SubjectKeys, subject_ref: str, name: str
) -> AuthorizationRequest:
    """The request, if this signed-in person is its subject or it names nobody yet. Refused otherwise."""
    if asked is None:
        raise Refused(Code.NOT_FOUND)
    if asked.subject_ref not in (None, subject_ref):
        raise Refused(Code.NOT_THE_SUBJECT)
    if asked.name_check not in (None, keys.name_check(asked.id, name)):
        raise Refused(Code.NOT_THE_SUBJECT)
    return asked


def answerable(asked: AuthorizationRequest, now: float) -> None:
    """Refused(request_expired | already_decided) where the person can no longer answer it."""
    if asked.state(now) == EXPIRED:
        raise Refused(Code.REQUEST_EXPIRED)
    _unanswered(asked)


def record_opened(
    transaction: Transaction, asked: AuthorizationRequest, subject_ref: str, lang: str, text: str
) -> parts.Notice:
    """The person sees these words now. Binds a request that named nobody to this person."""
    notice = notice_of(asked, lang, text)
    seen = (asked.status, asked.subject_ref, asked.notice_lang, asked.notice_text)
    if seen != (OPENED, subject_ref, lang, text):
        _set(transaction, asked, status=OPENED, subject_ref=subject_ref, notice_lang=lang, notice_text=text.encode())
        transaction.append(
            events.ConsentShown(
                request=asked.id,
                requester=asked.requester,
                subject_ref=subject_ref,
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
    _set(transaction, asked, status=DECLINED, subject_ref=subject_ref)
    transaction.append(
        events.ConsentDeclined(
            request=asked.id,
            requester=asked.requester,
            subject_ref=subject_ref,
            matter=asked.matter,
            case=asked.case,
        )
    )


def forget_subject(transaction: Transaction, subject_ref: str) -> None:
    """Cancel what this person has not answered, and empty what her requests quoted of her."""
    table = tables.request
    hers = table.c.subject_ref == subject_ref
    for row in transaction.connection.execute(select(table).where(hers)).all():
        asked = _request(row)
        if asked.status in (PENDING, OPENED):
            cancel(transaction, asked)
        items = [_asked_members(one) | {"expect": {}} for one in asked.items]
        _set(transaction, asked, items=json.dumps(items).encode(), name_check=None, notice_text=None, composition=None)


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


def _asked_event(request: str, filing: Filing, subject_ref: str) -> events.ConsentAsked:
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
        subject_ref=subject_ref,
    )


def _read(connection: Connection, condition: Any) -> AuthorizationRequest | None:
    row = connection.execute(select(tables.request).where(condition)).one_or_none()
    return _request(row) if row is not None else None


def _request(row: Row[Any]) -> AuthorizationRequest:
    return AuthorizationRequest(
        id=row.id,
        requester=row.requester,
        matter=row.matter,
        matter_version=row.matter_version,
        case=row.case,
        party=row.party,
        mode=row.mode,
        items=tuple(
            AskedItem(asked["item"], tuple(asked["fields"]), asked["required"], asked["params"], asked["expect"])
            for asked in json.loads(row.items)
        ),
        uses=row.uses,
        valid_for=row.valid_for,
        subject_ref=row.subject_ref,
        name_check=row.name_check,
        status=row.status,
        ticket_expires=row.ticket_expires,
        user_code=row.user_code,
        notice_lang=row.notice_lang,
        notice_text=row.notice_text.decode() if row.notice_text is not None else None,
        composition=row.composition,
        consent=(row.consent_iss, row.consent_jti) if row.consent_jti is not None else None,
    )
