"""Telling requesters of their events at their hooks: signed, from the same feed, at least once, in order.

A body is an `event+jwt` of the broker's issuer key: `aud` the requester, `hook`, `events` as in GET /v1/events, and
`cursor`. Whoever answers with a 2xx status has taken it. An event may come again; its index says that it is the same.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import aiohttp
from sqlalchemy import Connection

from audit.batch import Transaction, read_head
from broker import feed, hooks
from broker.alarms import FINE, Alarm
from broker.feed import Page, Position
from broker.hooks import Hook
from broker.outward import CheckedResolver, Networks, check_url
from broker.posting import open_session, post
from broker.requesters import find
from broker.signing import SigningKey
from broker.storage import Storage
from broker.telemetry import Telemetry

TYPE: Final = "event+jwt"
LOOK_EVERY: Final = 1.0
"""Seconds."""
AT_ONCE: Final = 20
LIFE: Final = 60


class Telling:
    """Lives on the server's event loop. What it remembers saves looking; what counts stands in the hook's row."""

    def __init__(
        self, issuer: str, key: SigningKey, opened: Networks, storage: Storage, now: Callable[[], float]
    ) -> None:
        self._issuer, self._key, self._opened = issuer, key, opened
        self._storage, self._now = storage, now
        self._looked: dict[str, int] = {}
        """By hook, up to which index there is nothing to tell."""

    async def run(self, telemetry: Telemetry) -> None:
        """Look and tell, for ever; a round that fails is told and the next one comes."""
        alarm = Alarm(telemetry.log, "hooks")
        connector = aiohttp.TCPConnector(resolver=CheckedResolver(self._opened))
        async with open_session(connector) as session:
            while True:
                try:
                    await self._round(session)
                    alarm.set(FINE)
                except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a round meets
                    alarm.set(f"not told: {type(error).__name__}")
                await asyncio.sleep(LOOK_EVERY)

    async def _round(self, session: aiohttp.ClientSession) -> None:
        due = await self._storage.read(self._due)
        await asyncio.gather(*(self._tell(session, hook, page) for hook, page in due))

    def _due(self, connection: Connection) -> list[tuple[Hook, Page]]:
        found = []
        size, now = read_head(connection).frontier.size, self._now()
        for hook in hooks.read_all(connection):
            after = max(hook.reached, self._looked.get(hook.id, -1))
            if hook.stopped or hook.next_at > now or after >= size - 1:
                continue
            requester = find(connection, hook.requester)
            if requester is None or requester.suspended:
                continue
            page = feed.read_on(connection, hook.requester, Position(after), AT_ONCE)
            if page.events:
                found.append((hook, page))
            else:
                self._looked[hook.id] = page.reached.index
        return found

    async def _tell(self, session: aiohttp.ClientSession, hook: Hook, page: Page) -> None:
        if not (await self._storage.record(lambda transaction: hooks.claim(transaction, hook))).value:
            return
        taken = await self._post(session, hook, page)

        def work(transaction: Transaction) -> None:
            if taken:
                hooks.delivered(transaction, hook, page.reached.index)
            else:
                hooks.failed(transaction, hook)

        await self._storage.record(work)

    async def _post(self, session: aiohttp.ClientSession, hook: Hook, page: Page) -> bool:
        now = int(self._now())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": hook.requester,
            "iat": now,
            "exp": now + LIFE,
            "hook": hook.id,
            "events": page.events,
            "cursor": page.reached.index,
        }
        try:
            check_url(hook.url, self._opened)
            status, _ = await post(session, hook.url, self._key.token(TYPE, claims).encode(), "application/jwt")
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        return 200 <= status < 300  # noqa: PLR2004 - HTTP's successes; a redirect is none
