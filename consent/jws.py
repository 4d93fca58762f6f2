"""The strict compact-JWS reader in front of PyJWT: form, header, key, signature (protocol, Tokens).

 1 form       size, exactly three canonical base64url parts, signature of 64 bytes
 2 header     a JSON object of exactly the profile's members, all strings
 3 type       `typ` is the expected one: a token of one kind is refused wherever another is expected
 4 payload    a JSON object without duplicate members, NaN or Infinity, depth at most 8
 5 key        by `kid`; the key's record decides the algorithm and the header must agree
 6 signature  by PyJWT, with that one algorithm

Claims are judged by the readers of each kind (consent/claims.py, consent/token.py). PyJWT's own claim checks are left
out because it reads the machine's clock; ours is the later of that clock and the ledger's last time.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import jwt
from jwt.algorithms import OKPAlgorithm

from consent.keys import ALGORITHMS, PublicKey, strict_base64url
from policies.refusals import Code, Refused, TokenRole

SIGNATURE_SIZE: Final = 64
DEPTH_LIMIT: Final = 8
_TEXT: Final = re.compile(r"[A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a token's header must hold, and how large its text may be."""

    members: frozenset[str]
    limit: int
    """Bytes."""
    role: TokenRole
    """Named in a refusal."""


HEADER: Final = frozenset({"alg", "kid", "typ"})
CONSENT: Final = Profile(HEADER, 8 * 1024, TokenRole.CONSENT)
EXCHANGE: Final = Profile(HEADER, 48 * 1024, TokenRole.REQUEST)
REQUEST: Final = Profile(HEADER, 16 * 1024, TokenRole.REQUEST)
WITHDRAWAL: Final = Profile(HEADER, 16 * 1024, TokenRole.WITHDRAWAL)
DEVICE: Final = Profile(HEADER, 16 * 1024, TokenRole.DEVICE)


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token whose form is right. Nothing in it is anybody's word yet."""

    text: str = field(repr=False)
    header: dict[str, str]
    payload: bytes = field(repr=False)
    profile: Profile


def read_form(text: str, profile: Profile) -> UnverifiedToken:
    """Steps 1 and 2. Raises Refused(malformed_token)."""
    if len(text) > profile.limit or not _TEXT.match(text):
        _malformed(profile)
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature (RFC 7515 section 7.1)
        _malformed(profile)
    try:
        header, payload, signature = (strict_base64url(part) for part in parts)
    except ValueError:
        _malformed(profile)
    if len(signature) != SIGNATURE_SIZE:
        _malformed(profile)
    members = _object(header, profile)
    if set(members) != profile.members or not all(isinstance(value, str) for value in members.values()):
        _malformed(profile)
    return UnverifiedToken(text, members, payload, profile)


def read_token(text: str, profile: Profile, typ: str) -> tuple[UnverifiedToken, dict[str, Any]]:
    """Steps 1 to 4: the token and its still unverified claims."""
    token = read_form(text, profile)
    if token.header["typ"] != typ:
        raise Refused(Code.WRONG_TOKEN_TYPE, profile.role)
    return token, _object(token.payload, profile)


def verify_signature(token: UnverifiedToken, key: PublicKey | None) -> bytes:
    """Steps 5 and 6: the payload's bytes, now the key holder's word. `key` is what the broker knows under `kid`."""
    role = token.profile.role
    if key is None or key.kid != token.header["kid"]:
        raise Refused(Code.UNKNOWN_KEY, role)
    return verify_with(token, key)


def verify_with(token: UnverifiedToken, key: PublicKey) -> bytes:
    """Step 6 under the algorithm of the key's own record."""
    role = token.profile.role
    alg = token.header["alg"]
    if alg not in ALGORITHMS[key.alg]:
        raise Refused(Code.ALGORITHM_MISMATCH, role)
    try:
        verified = _PYJWT.decode_complete(token.text, key=key.verifier, algorithms=[alg])
    except jwt.InvalidTokenError as error:
        raise Refused(Code.BAD_SIGNATURE, role) from error
    payload: bytes = verified["payload"]
    return payload


def read_object(raw: bytes, refuse: Callable[[], NoReturn]) -> dict[str, Any]:
    """A strict JSON object: UTF-8, no duplicate members, no numbers but integers of 64 bits, depth <= 8."""
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_no_repeats,
            parse_constant=_no_such_number,
            parse_float=_no_such_number,
            parse_int=_bounded_integer,
        )
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text anybody can store
        if not isinstance(value, dict) or _depth(value) > DEPTH_LIMIT:
            refuse()
    except (ValueError, RecursionError):  # what could just be read may still be too deep to be measured
        refuse()
    return value


def _object(raw: bytes, profile: Profile) -> dict[str, Any]:
    return read_object(raw, lambda: _malformed(profile))


def _malformed(profile: Profile) -> NoReturn:
    raise Refused(Code.MALFORMED_TOKEN, profile.role)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_such_number(_: str) -> NoReturn:
    raise ValueError("only integers")


def _bounded_integer(digits: str) -> int:
    if len(digits) > 19:  # noqa: PLR2004 - a 64-bit integer has at most 19 digits
        raise ValueError("integer too long")
    return int(digits)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _signature_layer() -> jwt.PyJWS:
    layer = jwt.PyJWS(algorithms=["ES256", "EdDSA"])
    layer.register_algorithm("Ed25519", OKPAlgorithm())
    return layer


_PYJWT: Final = _signature_layer()
