"""The national exchange's headers with an appSecret that is fetched by the appKey and comes encrypted."""

import base64
import hashlib
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from connectors.authentication import RefreshedHeaders, signed_headers
from connectors.gateways.credentials import Credentials, Post
from connectors.gateways.renewal import Issued, Renewal
from connectors.gateways.replies import refuse_unless, text_at
from connectors.secret_files import Secret
from connectors.trouble import garbled

_BLOCK: Final = 128


class RefreshedAuthenticator:
    """Signs with the current appSecret."""

    def __init__(self, how: RefreshedHeaders, app_key: Secret, renewal: Renewal) -> None:
        self._how = how
        self._app_key = app_key
        self._renewal = renewal

    async def credentials(self, now_ms: int, post: Post) -> Credentials:
        return self._signed(await self._renewal.current(lambda _: self._issue(now_ms, post)), now_ms)

    async def again(self, refused: Credentials, code: str, now_ms: int, post: Post) -> Credentials | None:
        if code not in self._how.dead or refused.issued is None:
            return None
        issued = await self._renewal.current(lambda _: self._issue(now_ms, post), refused.issued)
        return self._signed(issued, now_ms)

    async def aclose(self) -> None:
        await self._renewal.aclose()

    def _signed(self, issued: Issued, now_ms: int) -> Credentials:
        return Credentials(signed_headers(self._how, issued.secrets["app"], now_ms), issued=issued)

    async def _issue(self, now_ms: int, post: Post) -> Issued:
        how = self._how
        reply = await post(how.refresh_url, signed_headers(how, self._app_key.text, now_ms), {})
        refuse_unless(reply, how.status_at, how.success)
        secret = decrypted(text_at(reply, how.secret_at), self._app_key.text)
        lives = how.lives_seconds * 1000
        return Issued({"app": secret}, now_ms, now_ms + lives * 2 // 3, now_ms + lives)


def decrypted(text: str, app_key: str) -> str:
    """AES-128, ECB, PKCS#7, base64; the key is the first 16 bytes of the appKey's SHA-256, as we agreed with the tests.

    The gateway chose the mode: one block or two of random letters under a key of its own.
    """
    try:
        cipher = Cipher(algorithms.AES(aes_key(app_key)), modes.ECB())  # noqa: S305 - the gateway's mode, see above
        decryptor, unpadder = cipher.decryptor(), PKCS7(_BLOCK).unpadder()
        padded = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        raise garbled("secret_unreadable") from None


def aes_key(app_key: str) -> bytes:
    """Return the key under which a refreshed secret travels."""
    return hashlib.sha256(app_key.encode()).digest()[:16]
