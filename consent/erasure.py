"""Forgetting a person: the key and the mapping are destroyed, the log stays whole.

 1 withdraw   every consent that could still be used ends, each with its entry
 2 close      unanswered requests about her are cancelled; what they quoted of her is emptied, and so is what she asked
 3 destroy    late answers, lookup, wrapped key and sealed details; what was sealed under the key nobody can read;
              her passkeys go, her devices end
 4 record     `subject.erased`

No log entry changes: entries name her by `subject_ref`, 128 random bits that now lead nowhere.
"""

from sqlalchemy import Connection, delete, select, update

from audit.batch import Transaction
from audit.events import SubjectErased
from consent import grants, inquiries, kept, passkeys, requests, tables
from consent.subjects import SubjectKeys
from policies.refusals import Code, Refused


def find_subject(connection: Connection, keys: SubjectKeys, id_number: str) -> str:
    """The reference behind an id number. Raises Refused(not_found)."""
    return _find(connection, keys.find(id_number))


def find_organisation(connection: Connection, keys: SubjectKeys, uscc: str) -> str:
    """The reference behind a unified social credit code. Raises Refused(not_found)."""
    return _find(connection, keys.find_organisation(uscc))


def _find(connection: Connection, lookup: bytes) -> str:
    table = tables.subject
    found = connection.execute(select(table.c.subject_ref).where(table.c.lookup == lookup)).scalar_one_or_none()
    if found is None:
        raise Refused(Code.NOT_FOUND)
    return str(found)


def erase(transaction: Transaction, subject_ref: str) -> None:
    """Erase one person, in one unit of work. The caller ends her sessions in the same unit."""
    for granted in grants.grants_of(transaction.connection, subject_ref):  # 1
        if granted.status != grants.WITHDRAWN:
            grants.withdraw(transaction, granted, by="erasure", withdrawal_jti="")
    requests.forget_person(transaction, subject_ref)  # 2
    inquiries.forget_subject(transaction, subject_ref)
    _destroy(transaction, subject_ref)  # 3
    transaction.append(SubjectErased(subject_ref=subject_ref))  # 4


def _destroy(transaction: Transaction, subject_ref: str) -> None:
    kept.destroy_of_person(transaction, subject_ref)
    subject, device, pseudonym = tables.subject, tables.device, tables.pseudonym
    transaction.connection.execute(
        update(subject).where(subject.c.subject_ref == subject_ref).values(lookup=None, wrapped_key=None, details=None)
    )
    now = transaction.time // 1_000_000
    transaction.connection.execute(
        update(device).where(device.c.subject_ref == subject_ref, device.c.removed_at.is_(None)).values(removed_at=now)
    )
    transaction.connection.execute(update(device).where(device.c.subject_ref == subject_ref).values(label=""))
    passkeys.forget(transaction, subject_ref)
    transaction.connection.execute(delete(pseudonym).where(pseudonym.c.subject_ref == subject_ref))
