"""Challenges given out to passkeys: each for one purpose, bound to the session where there is one, spent once.

A challenge stands here only as the hash of purpose, session and challenge together, so that one given out for another
purpose or to another session is simply not there.
"""

import hashlib
import secrets
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, insert

from audit.batch import Transaction
from broker import tables
from broker.login import Session
from policies.refusals import Code, Refused, TokenRole

LIFE: Final = 5 * 60
"""Seconds."""
CHALLENGE_SIZE: Final = 32


class Purpose(StrEnum):
    REGISTER = "register"
    SIGN_IN = "sign-in"
    STEP_UP = "step-up"
    APPROVE = "approve"


def begin(transaction: Transaction, purpose: Purpose, session: Session | None, challenge: bytes | None = None) -> bytes:
    """A challenge; a random one unless the purpose has its own. The same one anew only lives longer."""
    given = challenge if challenge is not None else secrets.token_bytes(CHALLENGE_SIZE)
    table, name = tables.ceremony, _name(purpose, session, given)
    transaction.connection.execute(delete(table).where(table.c.name == name))
    transaction.connection.execute(insert(table).values(name=name, expires=transaction.time // 1_000_000 + LIFE))
    return given


def spend(transaction: Transaction, purpose: Purpose, session: Session | None, challenge: bytes) -> None:
    """Raises Refused(replayed) where this is not an unspent challenge of this purpose and session."""
    table = tables.ceremony
    spent = transaction.connection.execute(
        delete(table).where(
            table.c.name == _name(purpose, session, challenge), table.c.expires > transaction.time // 1_000_000
        )
    )
    if spent.rowcount != 1:
        raise Refused(Code.REPLAYED, TokenRole.PASSKEY)


def forget_ended(transaction: Transaction) -> None:
    table = tables.ceremony
    transaction.connection.execute(delete(table).where(table.c.expires <= transaction.time // 1_000_000))


def _name(purpose: Purpose, session: Session | None, challenge: bytes) -> bytes:
    owner = session.id_hash if session is not None else b""
    return hashlib.sha256(b"\n".join((purpose.encode(), owner.hex().encode(), challenge))).digest()
