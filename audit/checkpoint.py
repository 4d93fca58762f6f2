"""What the log signs and hands out: C2SP signed-note, tlog-checkpoint and tlog-proof, in the making.

Reading them is `audit.verify`'s, which shares no code with this file.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import CheckpointError
from audit.merkle import HASH_LENGTH

_ED25519: Final = b"\x01"
_PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"


class LogSigner:
    """The log's own key and name; the name is also the checkpoint's origin (C2SP tlog-checkpoint).

    Whoever holds the key can sign another history, but cannot make it consistent with checkpoints and receipts already
    handed out.
    """

    __slots__ = ("_key", "_key_id", "name", "vkey")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        """Take a name without spaces, plus or control characters; else raise CheckpointError."""
        if not name or any(char == "+" or char.isspace() or char < " " for char in name):
            raise CheckpointError("a log's name must be non-empty and without spaces, plus or control characters")
        public = _ED25519 + key.public_key().public_bytes_raw()
        self.name: Final = name
        self._key = key
        self._key_id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey: Final = f"{name}+{self._key_id.hex()}+{_base64(public)}"
        """The verifier key to pin (C2SP signed-note, "Verifier keys")."""

    def named(self, name: str) -> "LogSigner":
        """The same key under another origin, for a log that went on after an accepted fork."""
        return self if name == self.name else LogSigner(name, self._key)

    def sign(self, size: int, root: bytes) -> bytes:
        """Make the checkpoint of a tree, as a signed note."""
        if size < 0 or len(root) != HASH_LENGTH:
            raise CheckpointError(f"no checkpoint for size {size} with a root of {len(root)} bytes")
        return self._note(f"{self.name}\n{size}\n{_base64(root)}\n")

    def state(self, what: str, text: str) -> bytes:
        """Make a signed note of another kind. Its first line has a space, as no origin may: never a checkpoint."""
        if " " not in what or "\n" in what or "\n\n" in text or not text.endswith("\n"):
            raise CheckpointError("a statement begins with what it is, has no empty line and ends with its last line")
        return self._note(f"{what}\n{text}")

    def _note(self, text: str) -> bytes:
        signature = self._key_id + self._key.sign(text.encode())
        return f"{text}\n\N{EM DASH} {self.name} {_base64(signature)}\n".encode()


def format_proof(index: int, path: Iterable[bytes], checkpoint: bytes, extra: bytes | None = None) -> str:
    """Write a C2SP tlog-proof: index, inclusion path and the checkpoint verbatim. Nothing authenticates `extra`."""
    lines = [_PROOF_HEADER]
    if extra:
        lines.append(f"extra {_base64(extra)}")
    lines.append(f"index {index}")
    lines += [_base64(node) for node in path]
    return "\n".join(lines) + "\n\n" + checkpoint.decode()


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
