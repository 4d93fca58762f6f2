"""Citizens' sessions: a random cookie known by its hash, how surely the person was identified, and the device nonce."""

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from audit.batch import Transaction
from broker import tables
from policies.refusals import Code, Refused, TokenRole

SESSION_LIFE: Final = 30 * 60
"""Seconds. A phone left on a counter must not stay signed in."""


class Assurance(IntEnum):
    """How surely a person was identified (ISO/IEC 29115 levels under their eIDAS names)."""

    LOW = 1
    SUBSTANTIAL = 2
    HIGH = 3


@dataclass(frozen=True, slots=True)
class Session:
    id_hash: bytes = field(repr=False)
    subject_ref: str
    assurance: int
    signed_in_at: int
    nonce_hash: bytes | None = field(repr=False)


def begin_session(transaction: Transaction, subject_ref: str, assurance: Assurance) -> str:
    """The new session's secret, for the cookie."""
    now = transaction.time // 1_000_000
    secret = secrets.token_urlsafe(32)
    transaction.connection.execute(
        insert(tables.session).values(
            id_hash=_hash(secret),
            subject_ref=subject_ref,
            assurance=int(assurance),
            signed_in_at=now,
            expires=now + SESSION_LIFE,
        )
    )
    return secret


def find_session(connection: Connection, secret: str, now: float) -> Session:
    """Raises Refused(not_signed_in)."""
    table = tables.session
    row = connection.execute(
        select(table).where(table.c.id_hash == _hash(secret), table.c.expires > int(now))
    ).one_or_none()
    if row is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return Session(row.id_hash, row.subject_ref, row.assurance, row.signed_in_at, row.nonce_hash)


def require(session: Session, assurance: Assurance) -> None:
    """Raises Refused(step_up_required) where the person was identified less surely than this."""
    if session.assurance < assurance:
        raise Refused(Code.STEP_UP_REQUIRED)


def issue_nonce(transaction: Transaction, session: Session) -> str:
    """A nonce for one device proof, bound to this session; a new one voids the former."""
    nonce = secrets.token_urlsafe(16)
    _set_nonce(transaction, session, _hash(nonce))
    return nonce


def spend_nonce(transaction: Transaction, session: Session, nonce: str) -> None:
    """Raises Refused where this is not the session's unspent nonce."""
    table = tables.session
    stored = transaction.connection.execute(
        select(table.c.nonce_hash).where(table.c.id_hash == session.id_hash)
    ).scalar_one_or_none()
    if stored is None or not secrets.compare_digest(stored, _hash(nonce)):
        raise Refused(Code.REPLAYED, TokenRole.DEVICE)
    _set_nonce(transaction, session, None)


def end_sessions(transaction: Transaction, subject_ref: str) -> None:
    """Sign a person out everywhere."""
    transaction.connection.execute(delete(tables.session).where(tables.session.c.subject_ref == subject_ref))


def forget_ended(transaction: Transaction) -> None:
    transaction.connection.execute(
        delete(tables.session).where(tables.session.c.expires <= transaction.time // 1_000_000)
    )


def _set_nonce(transaction: Transaction, session: Session, nonce_hash: bytes | None) -> None:
    table = tables.session
    transaction.connection.execute(
        update(table).where(table.c.id_hash == session.id_hash).values(nonce_hash=nonce_hash)
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
