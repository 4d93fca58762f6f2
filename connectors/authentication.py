"""How a request proves to a department's gateway who sends it, as it stands in the routes file."""

import base64
import hmac
from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec

from connectors.secret_files import Secret

HeaderName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Settle = Annotated[float, msgspec.Meta(ge=0, le=5)]
"""Seconds between claiming a renewal and asking for it: requests that are already signed must have arrived."""
Life = Annotated[int, msgspec.Meta(ge=60, le=30 * 86400)]


class NoAuthentication(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="none"):
    """The network is all the department checks."""


class StaticHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="static_header"):
    """One fixed key in one header."""

    header: HeaderName
    secret: str


class Basic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="basic"):
    """A user's name and password (RFC 7617)."""

    user: Annotated[str, msgspec.Meta(pattern=r"^[^:\x00-\x1f]+$")]
    secret: str


class SignedHeaders(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hmac_sid_rid"):
    """The national exchange's headers: base64(HMAC-SHA256(secret, sid + rid + rtime)), rtime in milliseconds."""

    sid: Word
    rid: Word
    secret: str
    prefix: HeaderName = "gjgxjhpt_"


class RefreshedHeaders(SignedHeaders, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="hmac_refreshed"):
    """The same, signed with an appSecret that is fetched with the appKey (`secret`) and comes encrypted."""

    refresh_url: str
    insecure: str = ""
    status_at: str = "code"
    success: tuple[str, ...] = ("0", "00")
    secret_at: str = "data"  # noqa: S105 - a path in the reply
    lives_seconds: Life = 86400
    dead: tuple[str, ...] = ("-5", "-21", "-22")
    """Codes with which the gateway says that the secret is no more."""
    settle_seconds: Settle = 0.5


class RotatingMd5(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="md5_rotating"):
    """Provincial data platforms: an MD5 over a requestSecret of 15 minutes, renewed by a refreshSecret of 48 hours."""

    app_key: Word
    secret: str
    """The appSecret, from which everything starts over."""
    by_key_url: str
    by_secret_url: str
    insecure: str = ""
    settle_seconds: Settle = 0.5


class TicketToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="ticket_token"):
    """A ticket for the appKey, a token for the ticket and the appSecret; queries carry AppKey and AccessToken."""

    app_key: Word
    secret: str
    ticket_url: str
    token_url: str
    insecure: str = ""
    status_at: str = "status"
    success: tuple[str, ...] = ("0",)
    ticket_at: str = "data.ticket"
    token_at: str = "data.accessToken"  # noqa: S105 - a path in the reply
    lives_seconds: Life = 1800
    dead: tuple[str, ...] = ("-21", "-22")
    settle_seconds: Settle = 0.5


Fixed: TypeAlias = NoAuthentication | StaticHeader | Basic | SignedHeaders
Renewed: TypeAlias = RefreshedHeaders | RotatingMd5 | TicketToken
Authentication: TypeAlias = (
    NoAuthentication | StaticHeader | Basic | SignedHeaders | RefreshedHeaders | RotatingMd5 | TicketToken
)


def authentication_headers(how: Fixed, secret: Secret | None, now_ms: int) -> Mapping[str, str]:
    """Return the headers of one request; a signed one is good for this moment only."""
    if isinstance(how, NoAuthentication) or secret is None:
        return {}
    if isinstance(how, StaticHeader):
        return {how.header: secret.text}
    if isinstance(how, Basic):
        return {"Authorization": "Basic " + base64.b64encode(f"{how.user}:{secret.text}".encode()).decode()}
    return signed_headers(how, secret.text, now_ms)


def signed_headers(how: SignedHeaders, secret: str, now_ms: int) -> Mapping[str, str]:
    """Return the four headers of the national exchange."""
    time = str(now_ms)
    return {
        f"{how.prefix}sid": how.sid,
        f"{how.prefix}rid": how.rid,
        f"{how.prefix}rtime": time,
        f"{how.prefix}sign": signature(secret, how.sid + how.rid + time),
    }


def signature(secret: str, text: str) -> str:
    """base64(HMAC-SHA256(secret, text)), both in UTF-8."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()
