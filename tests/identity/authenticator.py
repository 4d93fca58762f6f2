"""An authenticator in software: real keys, real signatures, and every member bendable."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from consent.keys import strict_base64url, to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey of one person at one site."""

    origin: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    user_handle: bytes = b""
    sign_count: int = 0
    flags: int = PRESENT | VERIFIED

    def make(self, options: Mapping[str, Any], **client_data: Any) -> dict[str, Any]:
        """What navigator.credentials.create() would give."""
        self.user_handle = strict_base64url(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32), numbers.y.to_bytes(32)
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.credential).to_bytes(2) + self.credential + cose
        data = self._data(options["rp"]["id"], self.flags | ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, client_data)
        return self._told({"clientDataJSON": client, "attestationObject": attestation})

    def answer(self, options: Mapping[str, Any], rp_id: str = "", **client_data: Any) -> dict[str, Any]:
        """What navigator.credentials.get() would give."""
        if self.sign_count:
            self.sign_count += 1
        data = self._data(rp_id or options["rpId"], self.flags)
        client = self._client("webauthn.get", options, client_data)
        signed = data + hashlib.sha256(client).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._told(
            {
                "clientDataJSON": client,
                "authenticatorData": data,
                "signature": signature,
                "userHandle": self.user_handle,
            }
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4)

    def _client(self, kind: str, options: Mapping[str, Any], changed: dict[str, Any]) -> bytes:
        members = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps({name: value for name, value in (members | changed).items() if value is not ...}).encode()

    def _told(self, response: Mapping[str, bytes]) -> dict[str, Any]:
        name = to_base64url(self.credential)
        members = {member: to_base64url(value) for member, value in response.items() if value}
        return {"id": name, "rawId": name, "type": "public-key", "response": members, "clientExtensionResults": {}}
