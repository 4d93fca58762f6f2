"""A parcel between two centres' desks: signed with the sender's key, then closed for the receiver alone.

A compact JWS (`case-parcel+jwt`, the requester's own key) in a compact JWE (RFC 7516: ECDH-ES on P-256, A256GCM).
It goes by whatever way the centres have, a file on a stick included: nobody on the way reads or changes it. It names
the person and what is wanted of the other centre; answers of departments never travel.
"""

import json
from collections.abc import Mapping
from secrets import token_bytes, token_urlsafe
from typing import Any, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from jwt.algorithms import ECAlgorithm

from broker.desk.partners import Partner, read_opening
from broker.desk.refusals import Refused, Why
from broker.signing import SigningKey
from consent import jws
from consent.keys import strict_base64url, to_base64url
from policies import refusals

TYPE: Final = "case-parcel+jwt"
LIFE: Final = 7 * 24 * 3600
LIMIT: Final = 64 * 1024
PROFILE: Final = jws.Profile(jws.HEADER, 32 * 1024, refusals.TokenRole.REQUEST)
_AHEAD: Final = 60
"""Seconds by which two centres' clocks may differ."""
_NONCE: Final = 12
_TAG: Final = 16
_HEADER: Final = frozenset({"alg", "enc", "cty", "epk"})


class NamedPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    id_number: str


class ParcelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a parcel says. `person`, `matter` and `due` belong to a hand-over, `decision` to a return."""

    iss: str
    aud: str
    iat: int
    exp: int
    jti: str
    kind: Literal["handover", "more", "supplied", "return"]
    case: str
    note: str
    operator: str
    person: NamedPerson | None = None
    matter: str = ""
    due: int = 0
    decision: str = ""


def close(body: Mapping[str, Any], sender: SigningKey, own: str, partner: Partner, now: int) -> tuple[str, str]:
    """The parcel's id and text."""
    jti = token_urlsafe(18)
    times = {"iss": own, "aud": partner.requester, "iat": now, "exp": now + LIFE, "jti": jti}
    return jti, _encrypt(sender.token(TYPE, times | dict(body)).encode(), partner.opens)


def open_parcel(
    text: str, own: str, key: EllipticCurvePrivateKey, partners: Mapping[str, Partner], now: int
) -> ParcelBody:
    """What a partner says to us, verified. Raises Refused(bad_parcel) without saying which check failed."""
    try:
        token, unverified = jws.read_token(_decrypt("".join(text.split()), key), PROFILE, TYPE)
        body = msgspec.convert(unverified, ParcelBody)
        jws.verify_signature(token, partners[body.iss].signs)
    except (refusals.Refused, msgspec.ValidationError, InvalidTag, ValueError, KeyError, TypeError):
        raise Refused(Why.BAD_PARCEL) from None
    if body.aud != own or not body.iat - _AHEAD <= now < body.exp <= body.iat + LIFE:
        raise Refused(Why.BAD_PARCEL)
    return body


def _encrypt(plain: bytes, key: EllipticCurvePublicKey) -> str:
    ephemeral = generate_private_key(SECP256R1())
    epk = ECAlgorithm.to_jwk(ephemeral.public_key(), as_dict=True)
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT", "epk": epk}
    protected = to_base64url(json.dumps(header, separators=(",", ":")).encode())
    nonce = token_bytes(_NONCE)
    sealed = AESGCM(_agreed(ephemeral, key)).encrypt(nonce, plain, protected.encode())
    parts = (nonce, sealed[:-_TAG], sealed[-_TAG:])
    return ".".join((protected, "", *map(to_base64url, parts)))


def _decrypt(text: str, key: EllipticCurvePrivateKey) -> str:
    """Raises ValueError, KeyError, TypeError or InvalidTag."""
    if len(text) > LIMIT:
        raise ValueError("too long")
    protected, encrypted_key, *parts = text.split(".")
    nonce, sealed, tag = map(strict_base64url, parts)
    header = json.loads(strict_base64url(protected))
    if encrypted_key or header.keys() != _HEADER or (header["alg"], header["enc"]) != ("ECDH-ES", "A256GCM"):
        raise ValueError("another kind of JWE")
    if len(nonce) != _NONCE or len(tag) != _TAG:
        raise ValueError("another size")
    agreed = _agreed(key, read_opening(header["epk"]))
    return AESGCM(agreed).decrypt(nonce, sealed + tag, protected.encode()).decode("ascii")


def _agreed(private: EllipticCurvePrivateKey, public: EllipticCurvePublicKey) -> bytes:
    """RFC 7518 section 4.6.2, without party information."""
    algorithm, size = b"A256GCM", 32
    length = len(algorithm).to_bytes(4, "big")
    other = length + algorithm + bytes(4) + bytes(4) + (size * 8).to_bytes(4, "big")
    return ConcatKDFHash(SHA256(), size, other).derive(private.exchange(ECDH(), public))
