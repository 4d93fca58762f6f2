"""A request's ticket: all that its link holds. It is known here by its hash only."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TICKET_LIFE: Final[Mapping[str, int]] = {
    "online": 72 * 3600,
    "counter": 5 * 60,
    "guardian": 72 * 3600,
    "entrusted": 72 * 3600,
    "assisted": 15 * 60,  # two people at the counter sign in one after the other
}
"""Seconds from filing or renewing."""
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What opens a request: the link's secret, the code for the eye, and the end of both (seconds since 1970)."""

    request: str
    secret: str = field(repr=False)
    user_code: str
    expires: int


def new_ticket(request: str, mode: str, now: int) -> Ticket:
    code = "".join(secrets.choice(_CROCKFORD) for _ in range(8))
    return Ticket(request, secrets.token_urlsafe(16), f"{code[:4]}-{code[4:]}", now + TICKET_LIFE[mode])


def ticket_columns(ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_hash": ticket_hash(ticket.secret),
        "ticket_expires": ticket.expires,
        "user_code": ticket.user_code,
    }


def ticket_hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
