"""Signed tokens as PyJWT and pydantic read them; the key is the one that the database holds under the token's kid."""

from functools import lru_cache
from typing import Final, TypeVar

import jwt
from fastapi import HTTPException
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from bench.plain.models import ConsentClaims, ExchangeRequest
from bench.plain.tables import Key

Claims = TypeVar("Claims", bound=BaseModel)
REQUEST: Final = "exchange-request+jwt"
CONSENT: Final = "consent+jwt"
_NEEDED: Final = {"require": ["iss", "aud", "iat", "exp", "jti"]}


async def read_request(session: AsyncSession, text: str, issuer: str) -> ExchangeRequest:
    owner, claims = await _read(session, text, issuer, REQUEST, ExchangeRequest)
    if claims.iss != owner:
        raise HTTPException(401, "not the requester's own key")
    return claims


async def read_consent(session: AsyncSession, text: str, issuer: str) -> ConsentClaims:
    return (await _read(session, text, issuer, CONSENT, ConsentClaims))[1]


async def _read(session: AsyncSession, text: str, issuer: str, typ: str, model: type[Claims]) -> tuple[str, Claims]:
    """The key's owner and the claims, signed by that key."""
    try:
        header = jwt.get_unverified_header(text)
        key = await session.get(Key, header.get("kid"))
        if key is None or header.get("typ") != typ:
            raise HTTPException(401, "unknown key, or another kind of token")
        verifier = _parsed(key.jwk["crv"], key.jwk["x"], key.jwk["y"])
        claims = jwt.decode(text, verifier, algorithms=["ES256"], audience=issuer, options=_NEEDED)  # type: ignore[arg-type]
        return key.owner, model.model_validate(claims)
    except (jwt.InvalidTokenError, ValidationError) as error:
        raise HTTPException(401, "not a good token") from error


@lru_cache(maxsize=1024)
def _parsed(curve: str, x: str, y: str) -> jwt.PyJWK:
    return jwt.PyJWK({"kty": "EC", "crv": curve, "x": x, "y": y}, algorithm="ES256")
