"""One bounded call to somebody outside: no redirects, a time limit, and no more bytes than expected."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import aiohttp

ANSWER_WITHIN: Final = 10.0
"""Seconds."""
ANSWER_LIMIT: Final = 64 * 1024
"""Bytes: a longer answer is cut, and so refused by whoever reads it."""
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def open_session(connector: aiohttp.BaseConnector | None = None) -> aiohttp.ClientSession:
    """To be closed by whoever opened it."""
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN),
        cookie_jar=aiohttp.DummyCookieJar(),
        raise_for_status=False,
    )


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, media_type: str, headers: Mapping[str, str] = _NONE
) -> tuple[int, bytes]:
    """Status and body. Raises aiohttp.ClientError, OSError or TimeoutError."""
    told = {"Content-Type": media_type, **headers}
    async with session.post(url, data=body, headers=told, allow_redirects=False) as reply:
        return reply.status, await _bounded(reply)


async def get(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str] = _NONE) -> tuple[int, bytes]:
    """Status and body. Raises aiohttp.ClientError, OSError or TimeoutError."""
    async with session.get(url, headers=headers, allow_redirects=False) as reply:
        return reply.status, await _bounded(reply)


async def _bounded(reply: aiohttp.ClientResponse) -> bytes:
    received = bytearray()
    async for chunk in reply.content.iter_any():
        received += chunk
        if len(received) > ANSWER_LIMIT:
            break
    return bytes(received[:ANSWER_LIMIT])
