"""Forgetting a person: the key and the mapping are destroyed, the log stays whole.

 1 withdraw   every consent that could still be used ends, each with its entry
 2 close      unanswered requests about her are cancelled; what they quoted of her is emptied
 3 destroy    lookup, wrapped key and sealed details; what was sealed under the key can be read by nobody any more
 4 record     `subject.erased`

No log entry changes: entries name her by `subject_ref`, 128 random bits that now lead nowhere.
"""

from sqlalchemy import Connection, delete, select, update

from audit.batch import Transaction
from audit.events import SubjectErased
from consent import grants, requests, tables
from consent.subjects import SubjectKeys
from policies.refusals import Code, Refused


def find_subject(connection: Connection, keys: SubjectKeys, id_number: str) -> str:
    """The reference behind an id number. Raises Refused(not_found)."""
    table = tables.subject
    found = connection.execute(
        select(table.c.subject_ref).where(table.c.lookup == keys.find(id_number))
    ).scalar_one_or_none()
    if found is None:
        raise Refused(Code.NOT_FOUND)
    return str(found)


def erase(transaction: Transaction, subject_ref: str) -> None:
    """Erase one person, in one unit of work. The caller ends her sessions in the same unit."""
    for granted in grants.grants_of(transaction.connection, subject_ref):  # 1
        if granted.status != grants.WITHDRAWN:
            grants.withdraw(transaction, granted, by="erasure", withdrawal_jti="")
    requests.forget_subject(transaction, subject_ref)  # 2
    _destroy(transaction, subject_ref)  # 3
    transaction.append(SubjectErased(subject_ref=subject_ref))  # 4


def _destroy(transaction: Transaction, subject_ref: str) -> None:
    subject, device, pseudonym = tables.subject, tables.device, tables.pseudonym
    transaction.connection.execute(
        update(subject).where(subject.c.subject_ref == subject_ref).values(lookup=None, wrapped_key=None, details=None)
    )
    now = transaction.time // 1_000_000
    transaction.connection.execute(
        update(device).where(device.c.subject_ref == subject_ref, device.c.removed_at.is_(None)).values(removed_at=now)
    )
    transaction.connection.execute(update(device).where(device.c.subject_ref == subject_ref).values(label=""))
    transaction.connection.execute(delete(pseudonym).where(pseudonym.c.subject_ref == subject_ref))
