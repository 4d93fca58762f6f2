"""The claims that every token shares, judged against one clock: audience, issuer, times and the token's own id."""

import re
from dataclasses import dataclass
from typing import Any, Final

from consent.jws import Profile
from policies.refusals import Code, Refused

AHEAD: Final = 10
"""Seconds that `iat` and `nbf` may lie ahead of our clock. There is no leeway on `exp`."""
SHORT_LIFE: Final = 60
"""Seconds that every token but a consent may live."""
_JTI: Final = re.compile(r"[A-Za-z0-9._~-]{22,128}")
"""128 random bits are 22 characters in base64url. It goes into the log, so it can spell nobody's name."""
LATEST: Final = 1 << 40
"""Seconds; far beyond any real date, far below what overflows."""


@dataclass(frozen=True, slots=True)
class Claims:
    """A short-lived token's registered claims, verified."""

    iss: str
    aud: str
    iat: int
    exp: int
    jti: str


def verify_claims(claims: dict[str, Any], *, profile: Profile, audience: str, now: float) -> Claims:
    """The registered claims of a short-lived token. Raises Refused with the code of the first that is wrong.

    Left to the caller: that `iss` owns the key, and that `jti` has not been spent.
    """
    role = profile.role
    texts = {name: claims.get(name) for name in ("iss", "jti")}
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            raise Refused(Code.MALFORMED_TOKEN, role, member=name)
    if not _JTI.fullmatch(texts["jti"] or ""):
        raise Refused(Code.MALFORMED_TOKEN, role, member="jti")
    if claims.get("aud") != audience:
        raise Refused(Code.WRONG_AUDIENCE, role)
    iat, exp = verify_times(claims, profile=profile, now=now)
    if exp <= now:
        raise Refused(Code.TOKEN_EXPIRED, role)
    if exp - iat > SHORT_LIFE:
        raise Refused(Code.LIFETIME_TOO_LONG, role)
    return Claims(str(texts["iss"]), audience, iat, exp, str(texts["jti"]))


def verify_times(claims: dict[str, Any], *, profile: Profile, now: float) -> tuple[int, int]:
    """`iat` and `exp` as integers, neither `iat` nor `nbf` ahead of the clock. The caller judges `exp`."""
    role = profile.role
    for name in ("iat", "exp", "nbf"):
        value = claims.get(name, 0 if name == "nbf" else None)
        if type(value) is not int or not 0 <= value < LATEST:
            raise Refused(Code.MALFORMED_TOKEN, role, member=name)
    if max(claims["iat"], claims.get("nbf", 0)) > now + AHEAD:
        raise Refused(Code.TOKEN_NOT_YET_VALID, role)
    return claims["iat"], claims["exp"]
