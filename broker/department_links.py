"""The link by which a person of a department reaches its waiting questions: signed by the broker, for some hours.

It names the department and a staff number, which the log will show; whoever holds it is taken for that person. It is
handed over by the department's own data steward, until departments sign in by an identity provider of their own.
"""

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final

from broker.signing import SigningKey
from consent import jws
from consent.claims import verify_times
from policies.identifiers import read_identifier
from policies.refusals import Code, Refused

TYPE: Final = "department-link+jwt"
LONGEST: Final = 12 * 3600
"""Seconds: a working day."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who a verified link says is there."""

    department: str
    staff: str


def new_link(key: SigningKey, issuer: str, clerk: Clerk, now: int, life: int) -> str:
    """The link's token. Raises ValueError for names that cannot stand in the log, or for longer than LONGEST."""
    read_identifier(clerk.department, range(1, 65))
    read_identifier(clerk.staff, range(1, 65))
    if not 0 < life <= LONGEST:
        raise ValueError(f"a link lives {LONGEST} seconds at most")
    names = {"department": clerk.department, "staff": clerk.staff, "jti": token_urlsafe(16)}
    return key.token(TYPE, {"iss": issuer, "aud": issuer, "iat": now, "exp": now + life, **names})


def read_link(text: str, key: SigningKey, issuer: str, now: float) -> Clerk:
    """Raises Refused(not_signed_in) for whatever is not a link of ours, or no longer."""
    try:
        token, claims = jws.read_token(text, jws.REQUEST, TYPE)
        jws.verify_signature(token, key.public)
        _, exp = verify_times(claims, profile=jws.REQUEST, now=now)
    except Refused:
        raise Refused(Code.NOT_SIGNED_IN) from None
    if exp <= now or claims.get("aud") != issuer:
        raise Refused(Code.NOT_SIGNED_IN)
    return Clerk(_text(claims, "department"), _text(claims, "staff"))


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise Refused(Code.NOT_SIGNED_IN)
    return value
