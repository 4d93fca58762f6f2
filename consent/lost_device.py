"""A device in unknown hands: it is removed, and every standing consent it signed is paused until its owner says."""

from audit.batch import Transaction
from audit.identity_events import DeviceLost
from consent import grants, subjects


def lose_device(transaction: Transaction, subject_ref: str, kid: str) -> list[str]:
    """Unit of work; the `jti` of each consent that it paused. Raises Refused(not_found)."""
    subjects.end_device(transaction, subject_ref, kid)
    now = transaction.time / 1_000_000
    signed = [one for one in grants.grants_of(transaction.connection, subject_ref) if one.iss == kid]
    standing = [one for one in signed if one.status == grants.ACTIVE and one.expires > now]
    for granted in standing:
        grants.pause(transaction, granted)
    transaction.append(DeviceLost(subject_ref=subject_ref, kid=kid, paused=len(standing)))
    return [granted.jti for granted in standing]
