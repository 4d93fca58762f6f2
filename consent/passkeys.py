"""People's passkeys: registered, found, used, removed. A passkey signs in and steps up; it never signs a consent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from audit.batch import Transaction
from audit.identity_events import PasskeyRegistered, PasskeyRemoved
from consent import tables
from consent.keys import to_base64url
from policies.refusals import Code, Refused, TokenRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey's row at one moment."""

    id: str
    """Base64url SHA-256 of the credential's own id."""
    subject_ref: str
    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    """A COSE key."""
    sign_count: int
    assurance: int
    """How surely the person was identified when it was registered, which is what it can vouch for."""
    label: str
    registered_at: int
    removed_at: int | None

    @property
    def user_handle(self) -> bytes:
        return user_handle_of(self.subject_ref)

    def counts_on(self, sign_count: int) -> bool:
        """Whether the counter goes on; 0 for ever is that of a passkey which does not count."""
        return sign_count > self.sign_count or sign_count == self.sign_count == 0


def user_handle_of(subject_ref: str) -> bytes:
    """The random reference's own bytes: they say nothing of the person (WebAuthn Level 3, section 14.6.1)."""
    return bytes.fromhex(subject_ref)


def name_of(credential: bytes) -> str:
    """The `id` of a credential here."""
    return to_base64url(hashlib.sha256(credential).digest())


def register(transaction: Transaction, passkey: Passkey) -> None:
    """Keep a new passkey. A credential belongs to one person, for good: Refused(forbidden)."""
    table = tables.passkey
    known = transaction.connection.execute(select(table.c.id).where(table.c.id == passkey.id)).one_or_none()
    if known is not None:
        raise Refused(Code.FORBIDDEN, TokenRole.PASSKEY)
    members = {column.name: getattr(passkey, column.name) for column in table.columns}
    transaction.connection.execute(insert(table).values(**members))
    transaction.append(
        PasskeyRegistered(subject_ref=passkey.subject_ref, passkey=passkey.id, assurance=passkey.assurance)
    )


def find(connection: Connection, credential: bytes) -> Passkey:
    """The standing passkey of this credential id. Raises Refused(unknown_key)."""
    table = tables.passkey
    row = connection.execute(
        select(table).where(table.c.id == name_of(credential), table.c.removed_at.is_(None))
    ).one_or_none()
    if row is None:
        raise Refused(Code.UNKNOWN_KEY, TokenRole.PASSKEY)
    return _passkey(row)


def standing_of(connection: Connection, subject_ref: str) -> Sequence[Passkey]:
    """A person's passkeys that were not removed, oldest first."""
    table = tables.passkey
    rows = connection.execute(
        select(table)
        .where(table.c.subject_ref == subject_ref, table.c.removed_at.is_(None))
        .order_by(table.c.registered_at, table.c.id)
    )
    return [_passkey(row) for row in rows]


def use(transaction: Transaction, passkey: Passkey, sign_count: int) -> None:
    """Count a use that was verified, if the passkey still stands and nobody counted past it meanwhile."""
    table = tables.passkey
    current = find(transaction.connection, passkey.credential)
    if not current.counts_on(sign_count):
        raise Refused(Code.REPLAYED, TokenRole.PASSKEY)
    transaction.connection.execute(update(table).where(table.c.id == passkey.id).values(sign_count=sign_count))


def remove(transaction: Transaction, subject_ref: str, passkey: str) -> None:
    """From here on it opens nothing. Raises Refused(not_found)."""
    table = tables.passkey
    removed = transaction.connection.execute(
        update(table)
        .where(table.c.id == passkey, table.c.subject_ref == subject_ref, table.c.removed_at.is_(None))
        .values(removed_at=transaction.time // 1_000_000)
    )
    if removed.rowcount == 0:
        raise Refused(Code.NOT_FOUND)
    transaction.append(PasskeyRemoved(subject_ref=subject_ref, passkey=passkey))


def forget(transaction: Transaction, subject_ref: str) -> None:
    """Of a person who is erased."""
    transaction.connection.execute(delete(tables.passkey).where(tables.passkey.c.subject_ref == subject_ref))


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row's mapping
