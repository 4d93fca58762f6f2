"""A request's row at one moment: how it is found, where it stands, and what a signed-in person is to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from consent import tables
from consent.subjects import SubjectKeys
from consent.tickets import ticket_hash
from policies.refusals import Code, Refused
from policies.vocabulary import Scalar, SubjectKind

PENDING: Final = "pending"
OPENED: Final = "opened"
GRANTED: Final = "granted"
DECLINED: Final = "declined"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
ID: Final = "ar_"
"""How a request's own id begins; no ticket is that short before its first underscore or holds what follows."""


class Role(StrEnum):
    """What a signed-in person is to a request."""

    SIGNER = "signer"
    """Whose device signs: the subject herself, or who acts for her."""
    SUBJECT = "subject"
    """Whose data it is, where somebody else is to sign for her: she may say no."""
    WITNESS = "witness"
    """The second person at an assisted authorization: sees it, confirms being there, signs nothing."""


@dataclass(frozen=True, slots=True)
class AskedItem:
    """One item as asked for, already checked against the catalogue."""

    item: str
    fields: tuple[str, ...]
    required: bool
    params: Mapping[str, str]
    expect: Mapping[str, Scalar] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request's row at one moment. Whoever is named stands by reference, with a keyed check of the name given."""

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
    operator_desk: str
    subject_ref: str | None
    name_check: bytes | None = field(repr=False)
    actor_ref: str | None
    actor_check: bytes | None = field(repr=False)
    witness_ref: str | None
    witness_check: bytes | None = field(repr=False)
    witnessed_at: int | None
    evidence_sha256: str
    subject_kind: SubjectKind
    """A person, or an organisation: then `actor_ref` is its handler."""
    bundle: str | None
    """Of which bundle it is a part, if of any."""
    status: str
    ticket_expires: int
    user_code: str
    notice_lang: str | None
    notice_text: str | None = field(repr=False)
    composition: bytes | None = field(repr=False)
    consent: tuple[str, str] | None

    @property
    def signed_as(self) -> str:
        """In which role the signer stands beside the subject, as the notice tells it."""
        return "handler" if self.subject_kind is SubjectKind.ORGANISATION else self.mode

    def state(self, now: float) -> str:
        """The status on the wire; an unanswered request whose ticket has ended is expired."""
        if self.status in (PENDING, OPENED) and self.ticket_expires <= now:
            return EXPIRED
        return self.status

    def role_of(self, keys: SubjectKeys, subject_ref: str, name: str) -> Role:
        """What this signed-in person is to it. Refused(not_the_subject) for anybody else: she learns nothing."""
        named = (
            (Role.WITNESS, self.witness_ref, self.witness_check),
            (Role.SIGNER, self.actor_ref, self.actor_check),
            (Role.SIGNER if self.actor_ref is None else Role.SUBJECT, self.subject_ref, self.name_check),
        )
        for role, reference, check in named:
            if reference == subject_ref and check in (None, keys.name_check(self.id, name)):
                return role
        if (self.subject_ref, self.actor_ref) == (None, None):
            return Role.SIGNER  # it names nobody yet: it is whoever's opens it first
        raise Refused(Code.NOT_THE_SUBJECT)


def find(connection: Connection, request: str) -> AuthorizationRequest | None:
    return _read(connection, tables.request.c.id == request)


def find_addressed(connection: Connection, address: str) -> AuthorizationRequest:
    """By the ticket in its link, or by its id where it names its people: an id is known to more than one.

    Raises Refused(not_found).
    """
    table = tables.request
    by_id = table.c.id == address, table.c.subject_ref.is_not(None)
    found = _read(connection, *by_id) if address.startswith(ID) else None
    found = found or _read(connection, table.c.ticket_hash == ticket_hash(address))
    if found is None:
        raise Refused(Code.NOT_FOUND)
    return found


def waiting_for(connection: Connection, subject_ref: str, now: float) -> Sequence[AuthorizationRequest]:
    """What waits for this person's word, the newest first."""
    table = tables.request
    unanswered = table.c.status.in_([PENDING, OPENED]), table.c.ticket_expires > int(now)
    return read_all(connection, _concerns(subject_ref), *unanswered)


def declined_by(connection: Connection, subject_ref: str) -> Sequence[AuthorizationRequest]:
    """What this person said no to and could look at again, the newest first."""
    table = tables.request
    mine = or_(table.c.subject_ref == subject_ref, table.c.actor_ref == subject_ref)
    return read_all(connection, mine, table.c.status == DECLINED)


def declined_items(connection: Connection, *, requester: str, case: str, subject_ref: str) -> frozenset[str]:
    """The items of a case that this person clearly said no to."""
    table = tables.request
    of_case = table.c.requester == requester, table.c.case == case, table.c.subject_ref == subject_ref
    found = read_all(connection, *of_case, table.c.status == DECLINED)
    return frozenset(one.item for asked in found for one in asked.items)


def _concerns(subject_ref: str) -> ColumnElement[bool]:
    table = tables.request
    return or_(*(column == subject_ref for column in (table.c.subject_ref, table.c.actor_ref, table.c.witness_ref)))


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> AuthorizationRequest | None:
    row = connection.execute(select(tables.request).where(*conditions)).one_or_none()
    return read_row(row) if row is not None else None


def read_all(connection: Connection, *conditions: ColumnElement[bool]) -> Sequence[AuthorizationRequest]:
    """The newest first."""
    table = tables.request
    rows = connection.execute(select(table).where(*conditions).order_by(table.c.filed_at.desc(), table.c.id))
    return [read_row(row) for row in rows]


def read_row(row: Row[Any]) -> AuthorizationRequest:
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
        operator_desk=row.operator_desk,
        subject_ref=row.subject_ref,
        name_check=row.name_check,
        actor_ref=row.actor_ref,
        actor_check=row.actor_check,
        witness_ref=row.witness_ref,
        witness_check=row.witness_check,
        witnessed_at=row.witnessed_at,
        evidence_sha256=row.evidence_sha256 or "",
        subject_kind=SubjectKind(row.subject_kind),
        bundle=row.bundle,
        status=row.status,
        ticket_expires=row.ticket_expires,
        user_code=row.user_code,
        notice_lang=row.notice_lang,
        notice_text=row.notice_text.decode() if row.notice_text is not None else None,
        composition=row.composition,
        consent=(row.consent_iss, row.consent_jti) if row.consent_jti is not None else None,
    )
