"""A bundle (一件事): requests of several recipients under one link, each answered, granted and withdrawn by itself.

The bundle holds what its parts share: the link, where it began, and which parts could not be asked and why.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from audit.batch import Transaction
from consent import tables
from consent.asking import OPENED, PENDING, AuthorizationRequest, read_all
from consent.tickets import Ticket, new_ticket, ticket_columns, ticket_hash
from policies.refusals import Code, Refused

ID: Final = "bd_"
"""How a bundle's own id begins."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of the catalogue's bundle that could not be asked here."""

    matter: str
    party: str
    reason: str
    """`not_connected`: its recipient takes no part here; `nothing_to_ask`; or the code of a refusal."""


@dataclass(frozen=True, slots=True)
class AskedBundle:
    """A bundle's row at one moment."""

    id: str
    requester: str
    """The fund centre where it began."""
    bundle: str
    version: str
    case: str
    mode: str
    operator_desk: str
    ticket_expires: int
    user_code: str
    left_out: tuple[LeftOut, ...]


def new_id() -> str:
    return f"{ID}{secrets.token_urlsafe(16)}"


def file(transaction: Transaction, asked: AskedBundle) -> Ticket:
    """Keep the bundle and make its ticket; the caller files its parts in the same unit."""
    now = transaction.time // 1_000_000
    ticket = new_ticket(asked.id, asked.mode, now)
    transaction.connection.execute(
        insert(tables.bundle).values(
            id=asked.id,
            **ticket_columns(ticket),
            requester=asked.requester,
            bundle=asked.bundle,
            version=asked.version,
            case=asked.case,
            mode=asked.mode,
            operator_desk=asked.operator_desk,
            left_out=json.dumps([[one.matter, one.party, one.reason] for one in asked.left_out]).encode(),
            filed_at=now,
        )
    )
    return ticket


def find(connection: Connection, bundle: str) -> AskedBundle | None:
    return _read(connection, tables.bundle.c.id == bundle)


def find_addressed(connection: Connection, address: str) -> AskedBundle | None:
    """By the ticket in its link, or by its id: that opens it for the people it names, and for nobody else."""
    found = find(connection, address) if address.startswith(ID) else None
    return found or _read(connection, tables.bundle.c.ticket_hash == ticket_hash(address))


def parts_of(connection: Connection, bundle: str) -> Sequence[AuthorizationRequest]:
    """The requests under its link; their order is the catalogue's to say."""
    return read_all(connection, tables.request.c.bundle == bundle)


def bundles_of(connection: Connection, subject_ref: str) -> Sequence[str]:
    """The bundles with a part about this person, or that she is to sign, the newest first."""
    request, bundle = tables.request, tables.bundle
    hers = or_(request.c.subject_ref == subject_ref, request.c.actor_ref == subject_ref)
    joined = bundle.join(request, request.c.bundle == bundle.c.id)
    query = select(bundle.c.id, bundle.c.filed_at).select_from(joined).where(hers).distinct()
    return [row.id for row in connection.execute(query.order_by(bundle.c.filed_at.desc(), bundle.c.id))]


def renew(transaction: Transaction, asked: AskedBundle) -> Ticket:
    """A new link for what is unanswered; the old one is dead. Raises Refused(already_decided) where nothing is."""
    ticket = new_ticket(asked.id, asked.mode, transaction.time // 1_000_000)
    table, request = tables.bundle, tables.request
    unanswered = request.c.bundle == asked.id, request.c.status.in_([PENDING, OPENED])
    changed = transaction.connection.execute(update(request).where(*unanswered).values(ticket_expires=ticket.expires))
    if changed.rowcount == 0:
        raise Refused(Code.ALREADY_DECIDED)
    transaction.connection.execute(update(table).where(table.c.id == asked.id).values(**ticket_columns(ticket)))
    return ticket


def _read(connection: Connection, condition: ColumnElement[bool]) -> AskedBundle | None:
    row = connection.execute(select(tables.bundle).where(condition)).one_or_none()
    return _bundle(row) if row is not None else None


def _bundle(row: Row[Any]) -> AskedBundle:
    return AskedBundle(
        id=row.id,
        requester=row.requester,
        bundle=row.bundle,
        version=row.version,
        case=row.case,
        mode=row.mode,
        operator_desk=row.operator_desk,
        ticket_expires=row.ticket_expires,
        user_code=row.user_code,
        left_out=tuple(LeftOut(*one) for one in json.loads(row.left_out)),
    )
