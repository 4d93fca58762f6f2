"""Sign-ins begun at the identity provider: each bound to one browser, spent once, and soon over.

The browser's secret stands in a cookie, its hash here. The nonce and the PKCE verifier are derived from that secret, so
that neither this table nor the address bar can finish a sign-in that another browser began.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, insert, select

from audit.batch import Transaction
from broker import tables
from broker.login import Session
from consent.keys import to_base64url
from policies.refusals import Code, Refused

LIFE: Final = 10 * 60
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a sign-in is for."""

    back: str
    """The page of ours to which it leads back."""
    lang: str
    session: Session | None = None
    """The session that a step-up is to raise."""
    level: int = 0
    """The least that a step-up must reach."""
    max_age: int
    """Seconds since the person last proved herself to the provider; 0 for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in's row, spent."""

    back: str
    lang: str
    session_hash: bytes | None = field(repr=False)
    level: int
    authenticated_after: int


def new_browser() -> str:
    """A browser's secret, for its cookie."""
    return secrets.token_urlsafe(32)


def begin(transaction: Transaction, browser: str, wanted: Wanted) -> str:
    """The `state` to send along."""
    state, now = secrets.token_urlsafe(32), transaction.time // 1_000_000
    transaction.connection.execute(
        insert(tables.sign_in).values(
            state_hash=_hash(state),
            browser_hash=_hash(browser),
            back=wanted.back,
            lang=wanted.lang,
            session_hash=wanted.session.id_hash if wanted.session is not None else None,
            level=wanted.level,
            authenticated_after=now - wanted.max_age,
            expires=now + LIFE,
        )
    )
    return state


def spend(transaction: Transaction, state: str, browser: str) -> SignIn:
    """What this browser began with this state, which from now on is no more. Raises Refused(sign_in_expired)."""
    table = tables.sign_in
    mine = (
        table.c.state_hash == _hash(state),
        table.c.browser_hash == _hash(browser),
        table.c.expires > transaction.time // 1_000_000,
    )
    row = transaction.connection.execute(select(table).where(*mine)).one_or_none()
    if row is None:
        raise Refused(Code.SIGN_IN_EXPIRED)
    transaction.connection.execute(delete(table).where(*mine))
    return SignIn(
        back=row.back,
        lang=row.lang,
        session_hash=row.session_hash,
        level=row.level,
        authenticated_after=row.authenticated_after,
    )


def nonce_of(browser: str, state: str) -> str:
    return _derived("nonce", browser, state)


def verifier_of(browser: str, state: str) -> str:
    """The PKCE verifier: 43 characters (RFC 7636, section 4.1)."""
    return _derived("verifier", browser, state)


def forget_ended(transaction: Transaction) -> None:
    table = tables.sign_in
    transaction.connection.execute(delete(table).where(table.c.expires <= transaction.time // 1_000_000))


def _derived(purpose: str, browser: str, state: str) -> str:
    return to_base64url(hmac.digest(browser.encode(), f"{purpose}\n{state}".encode(), hashlib.sha256))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
