"""Late answers that wait to be collected: sealed under their person's own key, destroyed with any consent they rest on.

Whoever holds the database reads nothing here; with the broker's wrapping key too, answers of the last 72 hours of
people not erased.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from audit.batch import Transaction
from consent import tables
from consent.subjects import SubjectKeys, open_for, seal_for

LONGEST: Final = 72 * 3600
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Consented:
    """One consent that a late answer rests on, and whose it is."""

    iss: str
    jti: str
    subject_ref: str


@dataclass(frozen=True, slots=True)
class Late:
    """An answer to be kept: its id, and the person whom it is about."""

    id: str
    subject_ref: str
    clear: bytes = field(repr=False)


def expect(transaction: Transaction, late: str, consents: Iterable[Consented]) -> None:
    """Remember what an answer will rest on, from when it is waited for."""
    rows = [{"id": late, "iss": one.iss, "jti": one.jti, "subject_ref": one.subject_ref} for one in consents]
    transaction.connection.execute(insert(tables.awaited), rows)


def keep(transaction: Transaction, keys: SubjectKeys, late: Late) -> bool:
    """Seal and keep it for LONGEST. False of an erased person: then nothing is kept."""
    sealed = seal_for(transaction.connection, keys, late.subject_ref, late.clear, late.id)
    if sealed is None:
        return False
    forget_at = transaction.time // 1_000_000 + LONGEST
    transaction.connection.execute(
        insert(tables.kept).values(id=late.id, subject_ref=late.subject_ref, sealed=sealed, forget_at=forget_at)
    )
    return True


def open_kept(connection: Connection, keys: SubjectKeys, ids: Collection[str], now: float) -> Mapping[str, bytes]:
    """Those of these answers that are still there, by id; what is past its time counts as gone."""
    table = tables.kept
    rows = connection.execute(select(table).where(table.c.id.in_(ids), table.c.forget_at > int(now))).all()
    opened = {row.id: open_for(connection, keys, row.subject_ref, row.sealed, row.id) for row in rows}
    return {name: clear for name, clear in opened.items() if clear is not None}


def still_kept(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Those of these ids under which something is kept."""
    return frozenset(connection.execute(select(tables.kept.c.id).where(tables.kept.c.id.in_(ids))).scalars())


def destroy(transaction: Transaction, late: str) -> None:
    """Nobody waits for it any more."""
    _destroy(transaction, tables.kept.c.id == late)
    transaction.connection.execute(delete(tables.awaited).where(tables.awaited.c.id == late))


def destroy_of_grant(transaction: Transaction, iss: str, jti: str) -> None:
    """What rests on this consent, whoever else's it rests on too."""
    _destroy(transaction, _resting_on((tables.awaited.c.iss == iss) & (tables.awaited.c.jti == jti)))


def destroy_of_person(transaction: Transaction, subject_ref: str) -> None:
    _destroy(transaction, _resting_on(tables.awaited.c.subject_ref == subject_ref))


def destroy_old(transaction: Transaction) -> None:
    """House-keeping: what has passed its time."""
    _destroy(transaction, tables.kept.c.forget_at <= transaction.time // 1_000_000)


def _resting_on(consent: ColumnElement[bool]) -> ColumnElement[bool]:
    return tables.kept.c.id.in_(select(tables.awaited.c.id).where(consent))


def _destroy(transaction: Transaction, which: ColumnElement[bool]) -> None:
    transaction.connection.execute(delete(tables.kept).where(which))
