"""A passkey's assertion over the very text that a consent signs: kept, and its digest in the log."""

import hashlib

from sqlalchemy import Connection, insert, select

from audit.batch import Transaction
from consent import passkeys, tables
from consent.assertions import VerifiedAssertion
from consent.token import VerifiedConsent


def challenge_of(signing_input: str) -> bytes:
    """What the passkey is asked to sign: SHA-256 of the text's ASCII."""
    return hashlib.sha256(signing_input.encode()).digest()


def signing_input_of(consent: VerifiedConsent) -> str:
    return consent.text.rpartition(".")[0]


def keep(transaction: Transaction, consent: VerifiedConsent, assertion: VerifiedAssertion) -> None:
    """In the unit that grants the consent. Raises Refused where the passkey does not stand any more."""
    passkeys.use(transaction, assertion.passkey, assertion.sign_count)
    transaction.connection.execute(
        insert(tables.evidence).values(
            iss=consent.claims.iss,
            jti=consent.claims.jti,
            passkey=assertion.passkey.id,
            public_key=assertion.passkey.public_key,
            assertion=assertion.text,
        )
    )


def find(connection: Connection, iss: str, jti: str) -> bytes | None:
    """The assertion kept with a consent, as its exact JSON; None where none was needed."""
    table = tables.evidence
    found: bytes | None = connection.execute(
        select(table.c.assertion).where(table.c.iss == iss, table.c.jti == jti)
    ).scalar_one_or_none()
    return found
