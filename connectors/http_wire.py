"""HTTP as departments are asked by it: one pool a route, no redirects, cookies or proxies, a limited body."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp

from connectors.trouble import DepartmentError, garbled
from policies.vocabulary import Outcome

OK: Final = 200
LARGEST_BODY: Final = 1 << 20
_IDLE_SECONDS: Final = 4
"""Shorter than servers' usual five seconds, so that a request seldom meets a connection being closed."""
_LONGEST_WAIT: Final = 86400

_STATUSES: Final = {
    401: Outcome.AUTH_FAILED,
    403: Outcome.DENIED_BY_DEPARTMENT,
    404: Outcome.DEPARTMENT_DOWN,
    407: Outcome.AUTH_FAILED,
    408: Outcome.TIMEOUT,
    410: Outcome.DEPARTMENT_DOWN,
    429: Outcome.QUOTA,
    504: Outcome.TIMEOUT,
}
"""A missing address is the department's trouble, never "no record": only the body can say that."""


class HttpWire:
    """A pool of connections, which belongs to the event loop of its first request."""

    def __init__(
        self, connections: int, connect_seconds: float, read_seconds: float, trust: ssl.SSLContext | None
    ) -> None:
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds, sock_read=read_seconds)
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    async def exchange(
        self, method: str, url: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | None
    ) -> bytes:
        """Return the body of a 200. Raises DepartmentError for everything else, OSError or TimeoutError."""
        _, answered = await self.answered(method, url, query, headers, body)
        return answered

    async def answered(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        readable: frozenset[int] = frozenset({OK}),
    ) -> tuple[int, bytes]:
        """Return status and body where the status is readable. Raises DepartmentError for every other one."""
        try:
            async with self._pool().request(
                method, url, params=query or None, headers=headers, data=body, allow_redirects=False
            ) as response:
                if response.status not in readable:
                    wait = _retry_after(response)
                    raise DepartmentError(meaning(response.status), f"http_{response.status}", wait=wait)
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise garbled("compressed_unasked")
                return response.status, await _limited(response)
        except aiohttp.ClientError as error:
            raise _trouble(error) from None

    async def aclose(self) -> None:
        """Close the pool; a later request opens a new one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections,
                    keepalive_timeout=_IDLE_SECONDS,
                    ssl=self._trust if self._trust is not None else True,
                ),
                timeout=self._timeout,
                headers={"Accept-Encoding": "identity", "User-Agent": "consent-broker"},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    body = await response.content.readany()
    while not response.content.at_eof():
        body += await response.content.readany()
        if len(body) > LARGEST_BODY:
            break
    if len(body) > LARGEST_BODY:
        response.close()
        raise garbled("body_too_large")
    return body


def _retry_after(response: aiohttp.ClientResponse) -> int:
    """Seconds (RFC 9110, 10.2.3); a date is not looked at."""
    given = response.headers.get("Retry-After", "")
    return min(int(given), _LONGEST_WAIT) if given.isascii() and given.isdecimal() and len(given) < 10 else 0  # noqa: PLR2004 - digits


def meaning(status: int) -> Outcome:
    """What a status other than 200 says."""
    if status in _STATUSES:
        return _STATUSES[status]
    if status >= 500:  # noqa: PLR2004 - HTTP's own number
        return Outcome.DEPARTMENT_DOWN
    return Outcome.BAD_REQUEST if status >= 400 else Outcome.GARBLED  # noqa: PLR2004 - HTTP's own number


def _trouble(error: aiohttp.ClientError) -> DepartmentError:
    """Return the client library's words may quote a header or a URL, so only its kind of failure is kept."""
    if isinstance(error, asyncio.TimeoutError):
        return DepartmentError(Outcome.TIMEOUT, "silence")
    if isinstance(error, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)):
        return DepartmentError(Outcome.DEPARTMENT_DOWN, "tls")
    if isinstance(error, aiohttp.ClientConnectionError):
        return DepartmentError(Outcome.DEPARTMENT_DOWN, "connection")
    return garbled("truncated" if isinstance(error, aiohttp.ClientPayloadError) else "not_http")
