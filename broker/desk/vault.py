"""The desk's own key: what it keeps of people is sealed under it, and people are found again by a keyed tag.

Whoever holds vault.key together with the database reads names, numbers and answers not yet destroyed; the database
alone tells case numbers, matters, times and outcomes.
"""

import base64
import hmac
import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.secret_files import read_secret, write_secret
from policies.strict_yaml import ConfigurationError

SIZE: Final = 32
_NONCE: Final = 12


class Unreadable(Exception):
    """Sealed under another key, or for another place. The text holds no value."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals a value for one place; in any other place it does not open."""

    cipher: AESGCM = field(repr=False)
    tagging: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> Self:
        return cls(AESGCM(_derived(secret, b"desk sealing")), _derived(secret, b"desk tags"))

    @classmethod
    def read(cls, file: Path) -> Self:
        """Raises ConfigurationError where the file is missing, readable by others or no such key."""
        try:
            secret = base64.b64decode(read_secret(file), validate=True)
        except ValueError:
            secret = b""
        if len(secret) != SIZE:
            raise ConfigurationError(f"{file}:1: not {SIZE} bytes in base64")
        return cls.of(secret)

    @staticmethod
    def make(file: Path) -> None:
        """A new key. Never overwrites one: FileExistsError."""
        write_secret(file, base64.b64encode(secrets.token_bytes(SIZE)))

    def seal(self, place: str, value: Any) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self.cipher.encrypt(nonce, json.dumps(value, ensure_ascii=False).encode(), place.encode())

    def open(self, place: str, sealed: bytes) -> Any:
        """Raises Unreadable."""
        try:
            return json.loads(self.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode()))
        except (InvalidTag, ValueError):
            raise Unreadable(place.partition("/")[0]) from None

    def tag(self, kind: str, text: str) -> str:
        """The same text always gives the same tag, and nobody without the key learns the text from it."""
        return hmac.new(self.tagging, f"{kind}\0{text}".encode(), sha256).hexdigest()


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), SIZE, salt=None, info=purpose).derive(secret)
