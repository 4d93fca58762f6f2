"""Citizens' sessions: a random cookie known by its hash, how surely the person was identified, and the device nonce."""

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from audit.batch import Transaction
from audit.identity_events import SessionBegun, SessionEnded, SessionRaised
from broker import tables
from policies.refusals import Code, Refused, TokenRole

SESSION_LIFE: Final = 30 * 60
"""Seconds. A phone left on a counter must not stay signed in."""

FRESH_SIGN_IN: Final = 5 * 60
"""Seconds after being identified during which what is done needs no further proof that it is still the same person."""


class Assurance(IntEnum):
    """How surely a person was identified (ISO/IEC 29115 levels under their eIDAS names)."""

    LOW = 1
    SUBSTANTIAL = 2
    HIGH = 3


class Method(StrEnum):
    """By what a person was identified."""

    TEST = "test"
    OPENID = "openid"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Session:
    id_hash: bytes = field(repr=False)
    subject_ref: str
    assurance: int
    signed_in_at: int
    """When she was last identified, seconds since 1970: at a provider that may be before the session began."""
    nonce_hash: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """A person whose identity was just proven, and how."""

    subject_ref: str
    method: Method
    assurance: Assurance
    at: int | None = None
    """Seconds since 1970, where it was not just now."""
    passkey: str = ""


def begin_session(transaction: Transaction, who: Identified) -> str:
    """The new session's secret, for the cookie."""
    transaction.append(SessionBegun(**_told(who)))
    return _insert(transaction, who)


def raise_session(transaction: Transaction, session: Session, who: Identified) -> str:
    """Step up: the secret of the session that takes this one's place. Refused(not_the_subject) for somebody else."""
    if who.subject_ref != session.subject_ref:
        raise Refused(Code.NOT_THE_SUBJECT)
    _delete(transaction, session)
    transaction.append(SessionRaised(**_told(who)))
    return _insert(transaction, who)


def end_session(transaction: Transaction, session: Session) -> None:
    """Sign out here."""
    _delete(transaction, session)
    transaction.append(SessionEnded(subject_ref=session.subject_ref, everywhere=False))


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
        raise step_up_to(assurance)


def require_fresh(session: Session, assurance: Assurance, now: float) -> None:
    """As `require`; and she was identified just now, not by a session that somebody else may have picked up."""
    if session.assurance < assurance or now - session.signed_in_at > FRESH_SIGN_IN:
        raise step_up_to(assurance)


def step_up_to(assurance: Assurance) -> Refused:
    """The refusal that names the level needed."""
    return Refused(Code.STEP_UP_REQUIRED, member=assurance.name.lower())


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


def sign_out_everywhere(transaction: Transaction, session: Session) -> None:
    """At the person's own wish."""
    end_sessions(transaction, session.subject_ref)
    transaction.append(SessionEnded(subject_ref=session.subject_ref, everywhere=True))


def end_sessions(transaction: Transaction, subject_ref: str) -> None:
    """Sign a person out everywhere."""
    transaction.connection.execute(delete(tables.session).where(tables.session.c.subject_ref == subject_ref))


def forget_ended(transaction: Transaction) -> None:
    transaction.connection.execute(
        delete(tables.session).where(tables.session.c.expires <= transaction.time // 1_000_000)
    )


def _told(who: Identified) -> dict[str, Any]:
    return {
        "subject_ref": who.subject_ref,
        "method": who.method,
        "assurance": int(who.assurance),
        "passkey": who.passkey,
    }


def _insert(transaction: Transaction, who: Identified) -> str:
    now = transaction.time // 1_000_000
    secret = secrets.token_urlsafe(32)
    transaction.connection.execute(
        insert(tables.session).values(
            id_hash=_hash(secret),
            subject_ref=who.subject_ref,
            assurance=int(who.assurance),
            signed_in_at=min(now, who.at) if who.at is not None else now,
            expires=now + SESSION_LIFE,
        )
    )
    return secret


def _delete(transaction: Transaction, session: Session) -> None:
    transaction.connection.execute(delete(tables.session).where(tables.session.c.id_hash == session.id_hash))


def _set_nonce(transaction: Transaction, session: Session, nonce_hash: bytes | None) -> None:
    table = tables.session
    transaction.connection.execute(
        update(table).where(table.c.id_hash == session.id_hash).values(nonce_hash=nonce_hash)
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
