"""A department behind HTTP: JSON, form or XML in, JSON or XML out; no redirects, cookies, proxies."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import aiohttp
import msgspec

from connectors.authentication import Authentication, NoAuthentication, authentication_headers
from connectors.contract import Answer, Question
from connectors.reading import SAYABLE, AnswerForm, read_reply
from connectors.records import answer
from connectors.requests import Outgoing, RequestForm, check_request, outgoing
from connectors.route import Place, Route, Seconds, check_records
from connectors.secret_files import Secret, read_secret
from connectors.trouble import DepartmentError, garbled
from policies.vocabulary import Item, Outcome

LARGEST_BODY: Final = 1 << 20
_CHUNK: Final = 1 << 16
_IDLE_SECONDS: Final = 4
"""Shorter than servers' usual five seconds, so that a request seldom meets a connection being closed."""

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


class HttpRoute(Route, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="http"):
    """One way to a department's item over HTTP."""

    request: RequestForm
    answer: AnswerForm
    authentication: Authentication = NoAuthentication()
    connect_seconds: Seconds = 2
    read_seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10
    """The longest silence between two pieces of an answer; the route's deadline bounds the whole."""


def check_http(route: HttpRoute, item: Item, place: Place, secrets_folder: Path) -> Secret | None:
    """Return the route's secret, if it has one. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    check_request(route.request, item, place.at("request"))
    for code, outcome in route.answer.status.codes.items():
        if outcome not in SAYABLE or code in route.answer.status.success:
            raise place.at("answer", "status", "codes", code).error(f"code {code!r} cannot mean {outcome.value!r}")
    if isinstance(route.authentication, NoAuthentication):
        return None
    return read_secret(secrets_folder, route.authentication.secret, place.at("authentication", "secret"))


class HttpConnector:
    """Asks over one pool of connections, which belongs to the event loop of its first question."""

    def __init__(self, route: HttpRoute, secret: Secret | None, now: Callable[[], datetime]) -> None:
        self.route = route.name
        self._form = route
        self._secret = secret
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, question: Question) -> Answer:
        """Ask once. Raises DepartmentError, OSError or TimeoutError where there is no usable answer."""
        now_ms = int(self._now().timestamp() * 1000)
        request = outgoing(self._form.request, question, now_ms)
        signed = authentication_headers(self._form.authentication, self._secret, now_ms)
        try:
            body = await self._exchange(request, {**request.headers, **signed})
        except aiohttp.ClientError as error:
            raise _trouble(error) from None
        reply = read_reply(self._form.answer, body, self._now())
        return answer(self._form.records, question, self.route, reply)

    async def aclose(self) -> None:
        """Close the pool; a later question opens a new one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, request: Outgoing, headers: dict[str, str]) -> bytes:
        async with self._pool().request(
            self._form.request.method,
            request.url,
            params=request.query,
            headers=headers,
            data=request.body,
            allow_redirects=False,
        ) as response:
            if response.status != 200:  # noqa: PLR2004 - HTTP's own number
                raise DepartmentError(_meaning(response.status), f"http_{response.status}")
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise garbled("compressed_unasked")
            return await _limited(response)

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._form.concurrency, keepalive_timeout=_IDLE_SECONDS),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._form.connect_seconds, sock_read=self._form.read_seconds
                ),
                headers={"Accept-Encoding": "identity", "User-Agent": "consent-broker"},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > LARGEST_BODY:
            response.close()
            raise garbled("body_too_large")
    return bytes(body)


def _meaning(status: int) -> Outcome:
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
