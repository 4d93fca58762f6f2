"""Cosignatures: a witness's timestamped word that a checkpoint continues all it saw before (C2SP tlog-cosignature, v1).

Ed25519 only; ML-DSA-44 cosignatures are signature lines of keys unknown here, and are ignored as such.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import NoteRefused, SignatureRefused
from audit.note import WITNESS_KEY, Note, Signature, VerifierKey, check_name

_TIME_LENGTH: Final = 8
_LENGTH: Final = _TIME_LENGTH + 64


@dataclass(frozen=True, slots=True)
class Cosignature:
    """Verified. `time` is in seconds since 1970, by the witness's clock; `line` ends without a newline."""

    name: str
    time: int
    line: str


class Cosigner:
    """A witness's own key and name."""

    __slots__ = ("_key", "_key_id", "name", "vkey")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        """Raises NoteRefused for a name that no key can have."""
        check_name(name)
        material = bytes([WITNESS_KEY]) + key.public_key().public_bytes_raw()
        self.name: Final = name
        self._key = key
        self._key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
        self.vkey: Final = f"{name}+{self._key_id.hex()}+{base64.b64encode(material).decode()}"

    def cosign(self, text: str, time: int) -> str:
        """The signature line, with its newline, over a checkpoint's text at `time` (seconds since 1970, not zero)."""
        if not 0 < time < 1 << 63:
            raise NoteRefused("no cosignature can have this time")
        signature = self._key.sign(_message(text, time))
        octets = self._key_id + time.to_bytes(_TIME_LENGTH, "big") + signature
        return f"\N{EM DASH} {self.name} {base64.b64encode(octets).decode()}\n"


def verify_cosignature(signature: Signature, text: str, key: VerifierKey) -> Cosignature:
    """Verify one line that is said to be this witness's. Raises SignatureRefused."""
    octets = signature.unverified_octets
    if (signature.name, signature.key_id) != (key.name, key.key_id) or len(octets) != _LENGTH:
        raise SignatureRefused("not a cosignature of this witness")
    time = int.from_bytes(octets[:_TIME_LENGTH], "big")
    if not 0 < time < 1 << 63:
        raise SignatureRefused("a cosignature without its time")
    try:
        key.key.verify(octets[_TIME_LENGTH:], _message(text, time))
    except InvalidSignature as error:
        raise SignatureRefused("a cosignature is wrong") from error
    return Cosignature(key.name, time, signature.line)


def cosignatures(note: Note, key: VerifierKey) -> tuple[Cosignature, ...]:
    """This witness's cosignatures on a note. Raises SignatureRefused where one in its name is wrong."""
    return tuple(verify_cosignature(one, note.text, key) for one in key.signed(note))


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
