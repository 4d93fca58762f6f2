"""Staff's sessions: a random cookie known by its hash; over after a quarter of an hour at rest, and with the day."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, delete, insert, or_, select, update

from audit.batch import Transaction
from audit.staff_events import StaffSignedIn, StaffSignedOut
from broker import tables
from broker.login import Assurance, Method, step_up_to
from broker.staff import people
from broker.staff.people import Member
from policies.refusals import Code, Refused

IDLE: Final = 15 * 60
LONGEST: Final = 9 * 3600
NOTED_EVERY: Final = 60
"""Seconds; so a call seldom writes."""
NEEDED: Final = Assurance.HIGH
"""Two factors, for everybody who sees more than their own data (GB/T 22239, level 3)."""
_TABLE: Final = tables.staff_session


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Somebody of the staff, signed in: as the row and the log have it at this moment."""

    id_hash: bytes = field(repr=False)
    member: Member
    seen_at: int


def begin(transaction: Transaction, member: Member, method: Method, assurance: Assurance) -> str:
    """The new session's secret, for the cookie. Raises Refused(step_up_required | forbidden)."""
    if assurance < NEEDED:
        raise step_up_to(NEEDED)
    vouched = people.vouched(transaction.connection, member)
    now, secret = transaction.time // 1_000_000, secrets.token_urlsafe(32)
    transaction.connection.execute(
        insert(_TABLE).values(
            id_hash=_hash(secret), number=vouched.number, assurance=int(assurance), signed_in_at=now, seen_at=now
        )
    )
    transaction.append(StaffSignedIn(number=vouched.number, role=vouched.role, method=method, assurance=int(assurance)))
    return secret


def find(connection: Connection, secret: str, now: float) -> StaffSession:
    """Raises Refused(not_signed_in); forbidden for a row that the log does not vouch for."""
    living = _TABLE.c.seen_at > int(now) - IDLE, _TABLE.c.signed_in_at > int(now) - LONGEST
    row = connection.execute(select(_TABLE).where(_TABLE.c.id_hash == _hash(secret), *living)).one_or_none()
    if row is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return StaffSession(row.id_hash, people.vouched(connection, people.member(connection, row.number)), row.seen_at)


def note_seen(transaction: Transaction, session: StaffSession) -> None:
    now = transaction.time // 1_000_000
    transaction.connection.execute(update(_TABLE).where(_TABLE.c.id_hash == session.id_hash).values(seen_at=now))


def end(transaction: Transaction, session: StaffSession) -> None:
    transaction.connection.execute(delete(_TABLE).where(_TABLE.c.id_hash == session.id_hash))
    transaction.append(StaffSignedOut(number=session.member.number, role=session.member.role))


def forget_ended(transaction: Transaction) -> None:
    now = transaction.time // 1_000_000
    over = or_(_TABLE.c.seen_at <= now - IDLE, _TABLE.c.signed_in_at <= now - LONGEST)
    transaction.connection.execute(delete(_TABLE).where(over))
    living = select(_TABLE.c.id_hash)
    transaction.connection.execute(delete(tables.search).where(tables.search.c.session.not_in(living)))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
