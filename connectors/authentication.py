"""How a request proves to a department's gateway who sends it: not at all, a static key, or signed headers."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec

from connectors.secret_files import Secret

HeaderName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class NoAuthentication(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="none"):
    """The network is all the department checks."""


class StaticHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="static_header"):
    """One fixed key in one header."""

    header: HeaderName
    secret: str


class SignedHeaders(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hmac_sid_rid"):
    """The national exchange's headers: base64(HMAC-SHA256(secret, sid + rid + rtime)), rtime in milliseconds."""

    sid: Annotated[str, msgspec.Meta(min_length=1)]
    rid: Annotated[str, msgspec.Meta(min_length=1)]
    secret: str
    prefix: HeaderName = "gjgxjhpt_"


Authentication: TypeAlias = NoAuthentication | StaticHeader | SignedHeaders


def authentication_headers(how: Authentication, secret: Secret | None, now_ms: int) -> Mapping[str, str]:
    """Return the headers of one request; a signed one is good for this moment only."""
    if isinstance(how, NoAuthentication) or secret is None:
        return {}
    if isinstance(how, StaticHeader):
        return {how.header: secret.text}
    time = str(now_ms)
    return {
        f"{how.prefix}sid": how.sid,
        f"{how.prefix}rid": how.rid,
        f"{how.prefix}rtime": time,
        f"{how.prefix}sign": signature(secret.text, how.sid + how.rid + time),
    }


def signature(secret: str, text: str) -> str:
    """base64(HMAC-SHA256(secret, text)), both in UTF-8."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
