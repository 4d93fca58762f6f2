"""Whom an auditor looks for: found by a keyed hash of the number, then named by an id that one session alone knows.

So an address holds neither the number nor the log's reference, and leads whoever else has it nowhere.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from audit.batch import Transaction
from broker import tables
from broker.staff.sessions import StaffSession
from consent.erasure import find_organisation, find_subject
from consent.subjects import SubjectKeys
from policies.identifiers import read_id_number, read_uscc
from policies.refusals import Code, Refused


@dataclass(frozen=True, slots=True)
class Sought:
    """Somebody whom this session found."""

    subject_ref: str
    reason: str


def find_blindly(connection: Connection, keys: SubjectKeys, id_number: str, uscc: str) -> str:
    """The reference behind a number of a person or, else, of an organisation.

    Raises Refused(invalid_request) for what is none, Refused(not_found) where the log knows nobody by it.
    """
    if bool(id_number) == bool(uscc):
        raise Refused(Code.INVALID_REQUEST, member="id_number")
    if uscc:
        return find_organisation(connection, keys, _read(read_uscc, uscc, "uscc"))
    return find_subject(connection, keys, _read(read_id_number, id_number, "id_number"))


def remember(transaction: Transaction, session: StaffSession, sought: Sought) -> str:
    """The id by which this session, and no other, finds the person again."""
    id_ = secrets.token_urlsafe(16)
    transaction.connection.execute(
        insert(tables.search).values(
            id_hash=_hash(id_), session=session.id_hash, subject_ref=sought.subject_ref, reason=sought.reason
        )
    )
    return id_


def recall(connection: Connection, session: StaffSession, id_: str) -> Sought:
    """Raises Refused(not_found), also for another session's."""
    table = tables.search
    query = select(table).where(table.c.id_hash == _hash(id_), table.c.session == session.id_hash)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND, member="who")
    return Sought(row.subject_ref, row.reason)


def _read(reading: Callable[[str], str], text: str, member: str) -> str:
    try:
        return reading(text)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=member) from error


def _hash(id_: str) -> bytes:
    return hashlib.sha256(id_.encode()).digest()
