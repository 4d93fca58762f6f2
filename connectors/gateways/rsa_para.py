"""The RSA envelope of the delta's certificates: `jgh` in clear, `para` encrypted in blocks as long as the key allows.

It hides, but proves nobody: who answers is known by TLS alone.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from connectors.contract import Question
from connectors.documents import read_json
from connectors.gateways.envelope_forms import RsaPara
from connectors.paths import look, path
from connectors.requests import Sealed
from connectors.trouble import garbled

_PADDINGS: Final[Mapping[str, tuple[AsymmetricPadding, int]]] = {
    "pkcs1v15": (PKCS1v15(), 11),
    "oaep_sha256": (OAEP(MGF1(SHA256()), SHA256(), None), 66),
}
"""And how many bytes of each block they take."""
_MOST_BLOCKS: Final = 4096
"""Of a reply: about a second of one core at 2048 bits."""


class RsaEnvelope:
    def __init__(self, form: RsaPara, peer: RSAPublicKey, own: RSAPrivateKey) -> None:
        self._form = form
        self._peer = peer
        self._own = own

    def seal(self, content: Mapping[str, Any], question: Question, now_ms: int) -> Sealed:  # noqa: ARG002 - the Envelope's shape
        clear = json.dumps(content, ensure_ascii=False).encode()
        para = encrypted(self._peer, clear, self._form.padding)
        body = json.dumps({self._form.centre_member: self._form.centre, self._form.member: para})
        return Sealed("application/json", {}, body.encode())

    def open(self, body: bytes, question: Question, now_ms: int) -> bytes:  # noqa: ARG002 - the Envelope's shape
        para = look(_json(body), path(self._form.reply_at))
        if not isinstance(para, str):
            raise garbled("envelope")
        return decrypted(self._own, para, self._form.padding)


def encrypted(key: RSAPublicKey, clear: bytes, padding: str) -> str:
    """Return the clear text's blocks, each encrypted, in base64."""
    scheme, taken = _PADDINGS[padding]
    size = key.key_size // 8 - taken
    return base64.b64encode(
        b"".join(key.encrypt(clear[at : at + size], scheme) for at in range(0, len(clear), size))
    ).decode()


def decrypted(key: RSAPrivateKey, text: str, padding: str) -> bytes:
    """Return the blocks in clear. Raises DepartmentError for what was not encrypted for this key."""
    size = key.key_size // 8
    try:
        blob = base64.b64decode(text, validate=True)
        if not blob or len(blob) % size or len(blob) // size > _MOST_BLOCKS:
            raise garbled("envelope")
        return b"".join(key.decrypt(blob[at : at + size], _PADDINGS[padding][0]) for at in range(0, len(blob), size))
    except ValueError:
        raise garbled("envelope") from None


def _json(body: bytes) -> Any:
    try:
        return read_json(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise garbled("envelope") from None
