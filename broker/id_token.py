"""An ID token from its text to verified claims (OpenID Connect Core 1.0, section 3.1.3.7).

1 signature  under one of the provider's keys, by an algorithm of our list: never `none`, never a shared secret
2 claims     `iss`, `aud`, `azp`, `exp`, `iat`, `nonce`, `at_hash` by authlib
3 freshness  `auth_time` is there, and as late as was asked for
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from policies.refusals import Code, Refused

ALGORITHMS: Final = ("ES256", "EdDSA", "Ed25519", "PS256", "RS256")
"""RS256 is what the standard has every provider support."""
LEEWAY: Final = 10
"""Seconds between the provider's clock and ours."""
LATEST: Final = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token of this sign-in must say."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    authenticated_after: int
    """Seconds since 1970."""
    access_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedIdToken:
    """The provider's word on who signed in."""

    sub: str = field(repr=False)
    auth_time: int
    claims: Mapping[str, Any] = field(repr=False)


def verify_id_token(text: str, keys: KeySet, expected: Expected, now: float) -> VerifiedIdToken:
    """Raises Refused(sign_in_failed) naming the claim or step, never a value."""
    token = _verify_signature(text, keys)
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.client_id},
            "nonce": {"essential": True},
        },
        params={
            "nonce": expected.nonce,
            "client_id": expected.client_id,
            "access_token": expected.access_token,
        },
    )
    try:
        claims.validate(now=int(now), leeway=LEEWAY)
    except JoseError as error:
        raise failed(getattr(error, "claim", None) or type(error).__name__) from error
    except (TypeError, ValueError, AttributeError) as error:  # claims of types that the library does not expect
        raise failed("claims") from error
    sub, auth_time = claims.get("sub"), claims.get("auth_time")
    if not isinstance(sub, str) or not sub:
        raise failed("sub")
    if type(auth_time) is not int or not expected.authenticated_after - LEEWAY <= auth_time <= now + LEEWAY:
        raise failed("auth_time")
    return VerifiedIdToken(sub, auth_time, dict(claims))


def failed(member: str) -> Refused:
    """The provider's answer does not hold; `member` says where."""
    return Refused(Code.SIGN_IN_FAILED, member=member)


def _verify_signature(text: str, keys: KeySet) -> jwt.Token:
    try:
        return jwt.decode(text, keys, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, TypeError) as error:  # ValueError: no such key, or not base64
        raise failed("signature") from error
