"""Private keys that sign tokens: the broker's own for its answers, a requester's or a device's for a client."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from consent.keys import PublicKey, read_jwk, to_base64url


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the public one that others know it by."""

    private: EllipticCurvePrivateKey | Ed25519PrivateKey = field(repr=False)
    public: PublicKey

    @classmethod
    def generate(cls, alg: str = "ES256") -> "SigningKey":
        """A new `ES256` or `EdDSA` key."""
        return cls.of(generate_private_key(SECP256R1()) if alg == "ES256" else Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, private: object) -> "SigningKey":
        """Raises TypeError for any other kind of key."""
        if isinstance(private, EllipticCurvePrivateKey):
            return cls(private, read_jwk(ECAlgorithm.to_jwk(private.public_key(), as_dict=True)))
        if isinstance(private, Ed25519PrivateKey):
            return cls(private, read_jwk(OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)))
        raise TypeError("not a P-256 or Ed25519 private key")

    @classmethod
    def load(cls, file: Path) -> "SigningKey":
        """From an unencrypted PEM file."""
        return cls.of(load_pem_private_key(file.read_bytes(), None))

    def pem(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def token(self, typ: str, claims: dict[str, Any]) -> str:
        """A compact JWS with the header of the protocol: exactly alg, kid, typ."""
        headers = {"kid": self.public.kid, "typ": typ}
        return jwt.encode(claims, self.private, algorithm=self.public.alg, headers=headers)

    def complete(self, signing_input: str) -> str:
        """The compact JWS over a signing input that somebody else composed."""
        algorithm = OKPAlgorithm() if self.public.alg == "EdDSA" else ECAlgorithm(ECAlgorithm.SHA256)
        signature = algorithm.sign(signing_input.encode(), self.private)  # type: ignore[arg-type]
        return f"{signing_input}.{to_base64url(signature)}"

    def short_lived(self, typ: str, *, iss: str, aud: str, members: dict[str, Any], life: int = 60) -> str:
        """A token of the kind that lives a minute, from now by this machine's clock."""
        now = int(time.time())
        claims = {"iss": iss, "aud": aud, "iat": now, "exp": now + life, "jti": token_urlsafe(16)}
        return self.token(typ, claims | members)
