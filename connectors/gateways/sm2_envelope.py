"""The SM2 envelope (GM/T 0003): encrypted for the peer, signed by us; a reply counts only if the peer signed it lately.

SM2 encrypts a fresh SM4 key (`cryptoKey`), SM4-CBC the text (`cryptoData`): the kept library's SM2 takes 255 bytes.
`sign` is SM2 with SM3 over the clear text. Keys are the raw numbers in hex. There is no way to skip the verification.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from connectors.contract import Question
from connectors.documents import read_json
from connectors.gateways.envelope_forms import Sm2
from connectors.paths import MISSING, look, path
from connectors.requests import Sealed
from connectors.trouble import garbled

try:
    import gmssl_pyx
except ImportError:  # the extra `sm2` is not installed; a route that needs it refuses to load
    gmssl_pyx = None

_BLOCK: Final = 128
_PROBE: Final = b"one pair"


class Sm2Envelope:
    def __init__(self, form: Sm2, peer: bytes, own: "Sm2Key") -> None:
        self._form = form
        self._peer = peer
        self._own = own

    def seal(self, content: Mapping[str, Any], question: Question, now_ms: int) -> Sealed:
        head = {"groupId": self._form.group_id, "timestamp": now_ms, "reqId": question.call}
        body = sealed({"head": head, "data": content}, self._peer, self._own)
        return Sealed("application/json", {"GROUP_ID": self._form.group_id}, json.dumps(body).encode())

    def open(self, body: bytes, question: Question, now_ms: int) -> bytes:
        tree = opened(body, self._peer, self._own)
        if look(tree, path("head.groupId")) != self._form.peer_group_id:
            raise garbled("another_group")
        if look(tree, path("head.reqId")) != question.call:
            raise garbled("another_request")
        said = look(tree, path("head.timestamp"))
        if not isinstance(said, int) or abs(now_ms - said) > self._form.oldest_seconds * 1000:
            raise garbled("stale_reply")
        content = look(tree, path("data"))
        if content is MISSING:
            raise garbled("envelope")
        return json.dumps(content, ensure_ascii=False, default=str).encode()


class Sm2Key:
    """A private key and its public one, both in hex with space between. Raises ValueError for what is no pair."""

    def __init__(self, text: str) -> None:
        private, _, public = text.partition(" ") if " " in text else text.partition("\n")
        self.private = bytes.fromhex(private)
        self.public = public_key(public.strip())
        if not signed_by(self.public, _PROBE, gmssl_pyx.sm2_sign(self.private, self.public, _PROBE)):
            raise ValueError("the two keys are no pair")

    def __repr__(self) -> str:
        return "Sm2Key(...)"


def new_pair() -> str:
    """Return a new pair as a key file holds it."""
    public, private = gmssl_pyx.sm2_key_generate()
    return f"{private.hex()} {public.hex()}"


def available() -> bool:
    """Whether the extra `sm2` is installed."""
    return gmssl_pyx is not None


def signed_by(public: bytes, clear: bytes, sign: bytes) -> bool:
    """Whether the signature over the clear text is this key's."""
    return gmssl_pyx.sm2_verify(public, clear, sign) is True


def public_key(text: str) -> bytes:
    """Return the 64 bytes of a public key in hex. Raises ValueError for one that is not on the curve."""
    try:
        return bytes(gmssl_pyx.normalize_sm2_public_key(text))
    except gmssl_pyx.GmsslInnerError as error:
        raise ValueError(str(error)) from None


def sealed(tree: Mapping[str, Any], peer: bytes, own: Sm2Key) -> dict[str, str]:
    """Return `cryptoData`, `cryptoKey` and `sign`."""
    clear = json.dumps(tree, ensure_ascii=False).encode()
    key, iv = secrets.token_bytes(16), secrets.token_bytes(16)
    padder = PKCS7(_BLOCK).padder()
    encryptor = Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor()
    data = iv + encryptor.update(padder.update(clear) + padder.finalize()) + encryptor.finalize()
    parts = {
        "cryptoData": data,
        "cryptoKey": gmssl_pyx.sm2_encrypt(peer, key),
        "sign": gmssl_pyx.sm2_sign(own.private, own.public, clear),
    }
    return {name: base64.b64encode(part).decode() for name, part in parts.items()}


def opened(body: bytes, peer: bytes, own: Sm2Key) -> Any:
    """Return what the peer signed for us. Raises DepartmentError for everything else, always the same one."""
    try:
        outer = read_json(body.decode("utf-8"))
        data, wrapped, sign = (base64.b64decode(outer[name], validate=True) for name in _PARTS)
        key = gmssl_pyx.sm2_decrypt(own.private, wrapped)
        decryptor, unpadder = Cipher(algorithms.SM4(key), modes.CBC(data[:16])).decryptor(), PKCS7(_BLOCK).unpadder()
        clear = unpadder.update(decryptor.update(data[16:]) + decryptor.finalize()) + unpadder.finalize()
        genuine = signed_by(peer, clear, sign)
    except (ValueError, TypeError, KeyError, gmssl_pyx.GmsslInnerError):
        raise garbled("envelope") from None
    if not genuine:
        raise garbled("signature")
    return read_json(clear.decode("utf-8", "replace"))


_PARTS: Final = ("cryptoData", "cryptoKey", "sign")
