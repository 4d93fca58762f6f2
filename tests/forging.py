"""Tokens made by hand, well-formed or not: any header, any payload bytes, signed by a real key or by nobody."""

import json
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

from broker.signing import SigningKey
from consent.keys import to_base64url


def encode(value: object) -> str:
    """A JSON value as one part of a token."""
    return to_base64url(json.dumps(value, ensure_ascii=False).encode())


def sign_text(key: SigningKey, signing_input: str) -> str:
    """Any text, dots or none, completed by a true signature over it."""
    return key.complete(signing_input)


def sign_parts(key: SigningKey, header: Mapping[str, Any], payload: bytes) -> str:
    """A token with exactly this header and payload; `alg` need not be the key's own."""
    return sign_text(key, f"{encode(dict(header))}.{to_base64url(payload)}")


def forge(key: SigningKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A token with exactly this header and these claims."""
    return sign_parts(key, header, json.dumps(dict(claims), ensure_ascii=False).encode())


def header_for(key: SigningKey, typ: str, **changed: Any) -> dict[str, Any]:
    """The protocol's header, with members changed; one that is changed to `...` is left out."""
    members = {"alg": key.public.alg, "kid": key.public.kid, "typ": typ} | changed
    return {name: value for name, value in members.items() if value is not ...}


def claims_for(iss: str, aud: str, now: int, **changed: Any) -> dict[str, Any]:
    """A short-lived token's claims at `now` (seconds), with members changed; `...` leaves one out."""
    members = {"iss": iss, "aud": aud, "iat": now, "exp": now + 60, "jti": token_urlsafe(16)} | changed
    return {name: value for name, value in members.items() if value is not ...}
