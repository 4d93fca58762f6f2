"""One bounded POST to somebody outside: no redirects, a time limit, and no more bytes than expected."""

from typing import Final

import aiohttp

ANSWER_WITHIN: Final = 10.0
"""Seconds."""
ANSWER_LIMIT: Final = 64 * 1024
"""Bytes: a longer answer is cut, and so refused by whoever reads it."""


def open_session(connector: aiohttp.BaseConnector | None = None) -> aiohttp.ClientSession:
    """To be closed by whoever opened it."""
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN),
        cookie_jar=aiohttp.DummyCookieJar(),
        raise_for_status=False,
    )


async def post(session: aiohttp.ClientSession, url: str, body: bytes, media_type: str) -> tuple[int, bytes]:
    """Status and body. Raises aiohttp.ClientError, OSError or TimeoutError."""
    headers = {"Content-Type": media_type}
    async with session.post(url, data=body, headers=headers, allow_redirects=False) as reply:
        received = bytearray()
        async for chunk in reply.content.iter_any():
            received += chunk
            if len(received) > ANSWER_LIMIT:
                break
        return reply.status, bytes(received[:ANSWER_LIMIT])
