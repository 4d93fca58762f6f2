"""Another centre's card: who it is, the key that signs its parcels and the key that parcels for it are closed with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import InvalidKeyError

from consent.errors import InvalidKey
from consent.keys import PublicKey, read_jwk
from policies.strict_yaml import ConfigurationError

CARD_LIMIT: Final = 8 * 1024


class CardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `broker desk card` prints. It holds no secret, but must come from the centre itself."""

    requester: str
    name_zh: str
    name_en: str
    signs: dict[str, Any]
    opens: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Partner:
    requester: str
    name_zh: str
    name_en: str
    signs: PublicKey
    opens: EllipticCurvePublicKey


def read_partner(file: Path) -> Partner:
    """Raises ConfigurationError."""
    try:
        card = msgspec.json.decode(file.read_bytes()[:CARD_LIMIT], type=CardFile)
        return Partner(card.requester, card.name_zh, card.name_en, read_jwk(card.signs), read_opening(card.opens))
    except (OSError, msgspec.DecodeError, InvalidKey, ValueError) as error:
        raise ConfigurationError(f"{file}:1: not a centre's card: {type(error).__name__}") from error


def read_opening(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    """A public P-256 key to close parcels with. ValueError otherwise."""
    try:
        key = ECAlgorithm.from_jwk(dict(jwk))
    except InvalidKeyError:
        raise ValueError("not a JWK of a curve") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("not a public P-256 key")  # noqa: TRY004 - its value is wrong, whatever made it
    return key
