"""Two secrets that rotate: a requestSecret for a quarter of an hour, and a refreshSecret for two days to renew it."""

import hashlib
from typing import Any, Final

from connectors.authentication import RotatingMd5
from connectors.gateways.credentials import Credentials, Post
from connectors.gateways.renewal import Issued, Renewal
from connectors.gateways.replies import refuse_unless, text_at
from connectors.secret_files import Secret
from connectors.trouble import DepartmentError

_REQUEST_MS: Final = 15 * 60_000
_REFRESH_MS: Final = 48 * 3_600_000
_START_OVER: Final = "03"


class RotatingAuthenticator:
    """Signs with the current requestSecret."""

    def __init__(self, how: RotatingMd5, app_secret: Secret, renewal: Renewal) -> None:
        self._how = how
        self._app_secret = app_secret
        self._renewal = renewal

    async def credentials(self, now_ms: int, post: Post) -> Credentials:
        return self._signed(await self._renewal.current(lambda held: self._issue(held, now_ms, post)), now_ms)

    async def again(self, refused: Credentials, code: str, now_ms: int, post: Post) -> Credentials | None:
        if code != _START_OVER or refused.issued is None:
            return None
        issued = await self._renewal.current(lambda held: self._issue(held, now_ms, post), refused.issued)
        return self._signed(issued, now_ms)

    async def aclose(self) -> None:
        await self._renewal.aclose()

    def _signed(self, issued: Issued, now_ms: int) -> Credentials:
        return Credentials(members=signed(self._how.app_key, issued.secrets["request"], now_ms), issued=issued)

    async def _issue(self, held: Issued | None, now_ms: int, post: Post) -> Issued:
        """Renew by the refreshSecret in its first 47 of 48 hours; else, or where it is refused, from the appSecret."""
        if held is not None and now_ms < int(held.secrets["refresh_until_ms"]):
            try:
                return await self._asked(self._how.by_secret_url, held.secrets["refresh"], now_ms, post)
            except DepartmentError as refusal:
                if refusal.code != _START_OVER:
                    raise
        return await self._asked(self._how.by_key_url, self._app_secret.text, now_ms, post)

    async def _asked(self, url: str, secret: str, now_ms: int, post: Post) -> Issued:
        reply = await post(url, {}, signed(self._how.app_key, secret, now_ms))
        refuse_unless(reply, "code", ("00",))
        request_ends = _ends(reply, "datas.requestSecretEndTime", now_ms, _REQUEST_MS)
        refresh_ends = _ends(reply, "datas.refreshSecretEndTime", now_ms, _REFRESH_MS)
        held = {
            "request": text_at(reply, "datas.requestSecret"),
            "refresh": text_at(reply, "datas.refreshSecret"),
            "refresh_until_ms": str(now_ms + (refresh_ends - now_ms) * 47 // 48),
        }
        return Issued(held, now_ms, now_ms + (request_ends - now_ms) * 10 // 15, request_ends)


def signed(app_key: str, secret: str, now_ms: int) -> dict[str, str]:
    """Return `appKey`, `requestTime` and `sign`, the MD5 over both in lower case and the time."""
    text = f"{app_key.lower()}{secret.lower()}{now_ms}"
    sign = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # the gateway's way; TLS protects the request
    return {"appKey": app_key, "requestTime": str(now_ms), "sign": sign}


def _ends(reply: Any, dotted: str, now_ms: int, life_ms: int) -> int:
    """Return the end they name; where their clock is plainly not ours, the usual life from now on."""
    given = text_at(reply, dotted)
    ends = int(given) if given.isdecimal() and len(given) == len(str(now_ms)) else 0
    return ends if now_ms < ends <= now_ms + life_ms else now_ms + life_ms
