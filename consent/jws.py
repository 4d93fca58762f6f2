"""The strict compact-JWS reader in front of PyJWT: form, header, key, signature (protocol, Tokens).

 1 form       size, exactly three canonical base64url parts, signature of 64 bytes
 2 header     a JSON object of exactly the profile's members, all strings
 3 type       `typ` is the expected one: a token of one kind is refused wherever another is expected
 4 payload    a JSON object without duplicate members, NaN or Infinity, depth at most 8
 5 key        by `kid`; the key's record decides the algorithm and the header must agree
 6 signature  by PyJWT's algorithm, that one; a text that was verified under a key before is not verified again

Claims are judged by the readers of each kind (consent/claims.py, consent/token.py). PyJWT's own reading of token and
claims is left out: it would read the form once more, and goes by the machine's clock; ours is the later of that clock
and the ledger's last time.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from consent.keys import ALGORITHMS, PublicKey, strict_base64url
from policies.refusals import Code, Refused, TokenRole

SIGNATURE_SIZE: Final = 64
DEPTH_LIMIT: Final = 8
_INTEGERS: Final = (-(10**18), 10**19)
"""Between these, as far as 19 characters reach."""
_SURROGATE: Final = re.compile(rb"\\u[dD]")
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
    signature: bytes = field(repr=False)
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
    return UnverifiedToken(text, members, payload, signature, profile)


def unverified_kid(text: str) -> str:
    """Which key a token says it is signed with; empty where it does not say. Good to refuse by, for nothing else."""
    try:
        header = json.loads(strict_base64url(text.partition(".")[0]))
        kid = header["kid"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return kid if isinstance(kid, str) else ""


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
    text = token.text.encode()
    name = hashlib.sha256(key.kid.encode() + b"\n" + text).digest() if role is TokenRole.CONSENT else b""
    if name not in _verified:
        signed, _, _ = text.rpartition(b".")
        if not VERIFIERS[alg].verify(signed, key.verifier, token.signature):
            raise Refused(Code.BAD_SIGNATURE, role)
        _remember(name)
    return token.payload


def read_object(raw: bytes, refuse: Callable[[], NoReturn]) -> dict[str, Any]:
    """A strict JSON object: UTF-8, no duplicate members, no numbers but integers of 64 bits, depth <= 8."""
    try:
        value = _STRICT.decode(raw.decode())
        if _SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text anybody can store
        if not isinstance(value, dict):
            refuse()
        _check(value, 1)
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


def _check(value: "dict[str, Any] | list[Any]", depth: int) -> None:
    """No deeper than permitted, and no integer of more than 64 bits."""
    if depth > DEPTH_LIMIT:
        raise ValueError("too deep")
    for child in value.values() if isinstance(value, dict) else value:
        kind = type(child)
        if kind is dict or kind is list:
            _check(child, depth + 1)
        elif kind is int and not _INTEGERS[0] < child < _INTEGERS[1]:
            raise ValueError("integer too long")


def _remember(name: bytes) -> None:
    """Of a citizen's token, which is shown several times; a requester's is good for one call."""
    if not name:
        return
    if len(_verified) >= VERIFIED_LIMIT:
        _verified.clear()
    _verified.add(name)


_STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_no_repeats, parse_constant=_no_such_number, parse_float=_no_such_number
)
VERIFIERS: Final[Mapping[str, Any]] = {
    "ES256": ECAlgorithm(ECAlgorithm.SHA256, SECP256R1),
    "EdDSA": OKPAlgorithm(),
    "Ed25519": OKPAlgorithm(),
}
VERIFIED_LIMIT: Final = 65_536
"""Consents, 32 bytes each."""
_verified: Final[set[bytes]] = set()
"""SHA-256 of key and text of the consents whose signature was found good lately: that never changes. Times, uses and
what stands are judged each time."""
