"""Who sits at which window: a session is one clerk's, locks itself when she is away, and only her PIN opens it."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, Update, delete, insert, select, update

from broker.desk import clerks, tables
from broker.desk.clerks import Clerk
from broker.desk.refusals import Refused, Why

LONGEST: Final = 12 * 3600
"""Seconds without a key pressed after which a locked session is gone; nobody's shift is longer."""


@dataclass(frozen=True, slots=True)
class Session:
    clerk: Clerk
    desk: str
    locked: bool
    id: bytes

    @property
    def operator(self) -> dict[str, str]:
        """The named person, as the broker logs it."""
        return {"id": self.clerk.number, "name": self.clerk.name, "desk": self.desk}


def begin(connection: Connection, clerk: Clerk, desk: str, now: int) -> str:
    """A new session; the secret for its cookie is kept nowhere."""
    secret = secrets.token_urlsafe(32)
    connection.execute(delete(tables.session).where(tables.session.c.seen < now - LONGEST))
    connection.execute(
        insert(tables.session).values(secret_hash=_hash(secret), clerk=clerk.number, desk=desk, seen=now)
    )
    return secret


def find(connection: Connection, secret: str, now: int, idle: int) -> Session:
    """The session as it stands now, locked after `idle` quiet seconds. Raises Refused(not_signed_in)."""
    table = tables.session
    row = connection.execute(select(table).where(table.c.secret_hash == _hash(secret))).one_or_none()
    clerk = clerks.find(connection, row.clerk) if row is not None and row.seen >= now - LONGEST else None
    if row is None or clerk is None:
        raise Refused(Why.NOT_SIGNED_IN)
    return Session(clerk, row.desk, bool(row.locked) or row.seen < now - idle, row.secret_hash)


def touch(connection: Connection, session: Session, now: int) -> None:
    """She is there."""
    connection.execute(_mine(session).values(seen=now))


def lock(connection: Connection, session: Session) -> None:
    connection.execute(_mine(session).values(locked=1))


def unlock(connection: Connection, session: Session, now: int) -> None:
    """For whoever has just shown that she is the clerk whose session it is."""
    connection.execute(_mine(session).values(locked=0, seen=now))


def end(connection: Connection, session: Session) -> None:
    connection.execute(delete(tables.session).where(tables.session.c.secret_hash == session.id))


def _mine(session: Session) -> Update:
    return update(tables.session).where(tables.session.c.secret_hash == session.id)


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
