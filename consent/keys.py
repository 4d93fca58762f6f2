"""Public keys as people and requesters register them: strict JWKs, their thumbprint, and the one algorithm of each."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as P256Key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.errors import InvalidKey

_STANDARD: Final = bytes.maketrans(b"-_+/", b"+/!!")
"""To the alphabet that the standard library decodes; what stands for those two there is nothing here."""
_OPTIONAL: Final = frozenset({"alg", "use", "key_ops", "kid", "ext"})
ALGORITHMS: Final[Mapping[str, frozenset[str]]] = {
    "ES256": frozenset({"ES256"}),
    "EdDSA": frozenset({"EdDSA", "Ed25519"}),
}
"""Each key's own algorithm, and the spellings a header may use for it (RFC 9864 names Ed25519)."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A registered key. Its record decides the algorithm; a token's header can only agree."""

    kid: str
    """RFC 7638 thumbprint, base64url."""
    alg: str
    """`ES256` or `EdDSA`."""
    jwk: Mapping[str, str]
    """The required members only: what is hashed, stored and shown."""
    verifier: P256Key | Ed25519PublicKey = field(repr=False, compare=False)


def read_jwk(unverified: Mapping[str, Any]) -> PublicKey:
    """A public signing key, or InvalidKey (RFC 7517, RFC 8037). A private member is refused, not dropped."""
    kinds = {"EC": _read_p256, "OKP": _read_ed25519}
    read = kinds.get(unverified["kty"]) if isinstance(unverified.get("kty"), str) else None
    if read is None:
        raise InvalidKey("kty")
    key = read(unverified)
    unknown = set(unverified) - set(key.jwk) - _OPTIONAL
    if unknown:
        raise InvalidKey("a member that does not belong to a public key")
    if unverified.get("alg", key.alg) not in [*ALGORITHMS[key.alg]]:  # a list, for what a stranger wrote has no hash
        raise InvalidKey("alg")
    if unverified.get("use", "sig") != "sig":
        raise InvalidKey("use")
    if unverified.get("key_ops", ["verify"]) != ["verify"]:
        raise InvalidKey("key_ops")
    return key


def strict_base64url(text: str) -> bytes:
    """Canonical unpadded base64url (RFC 7515 section 2): ValueError for padding, other characters or stray bits."""
    if not text.isascii():
        raise ValueError("not base64url")
    padding = b"=" * (-len(text) % 4)
    try:
        raw = binascii.a2b_base64(text.encode().translate(_STANDARD) + padding, strict_mode=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    last = len(raw) % 3  # of whole groups of three bytes every bit is used; in the last one bits could stray
    if last and not text.endswith(to_base64url(raw[-last:])):
        raise ValueError("not canonical base64url")
    return raw


def to_base64url(raw: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read_p256(jwk: Mapping[str, Any]) -> PublicKey:
    if jwk.get("crv") != "P-256":
        raise InvalidKey("crv")
    x, y = _coordinate(jwk, "x"), _coordinate(jwk, "y")
    try:
        verifier = EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key()
    except ValueError as error:
        raise InvalidKey("not a point of P-256") from error
    required = {"crv": "P-256", "kty": "EC", "x": jwk["x"], "y": jwk["y"]}
    return PublicKey(_thumbprint(required), "ES256", required, verifier)


def _read_ed25519(jwk: Mapping[str, Any]) -> PublicKey:
    if jwk.get("crv") != "Ed25519":
        raise InvalidKey("crv")
    verifier = Ed25519PublicKey.from_public_bytes(_coordinate(jwk, "x"))
    required = {"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]}
    return PublicKey(_thumbprint(required), "EdDSA", required, verifier)


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    try:
        raw = strict_base64url(text) if isinstance(text, str) else b""
    except ValueError as error:
        raise InvalidKey(name) from error
    if len(raw) != 32:  # noqa: PLR2004 - both curves' field elements are 32 bytes
        raise InvalidKey(name)
    return raw


def _thumbprint(required: Mapping[str, str]) -> str:
    # RFC 7638: members in lexical order, no white space; every value here is plain ASCII
    text = "{" + ",".join(f'"{name}":"{required[name]}"' for name in sorted(required)) + "}"
    return to_base64url(hashlib.sha256(text.encode()).digest())
