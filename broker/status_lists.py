"""The public status lists as signed tokens (`statuslist+jwt`, draft-ietf-oauth-status-list section 5.1).

For third parties, who may be a minute late; whether a consent stands is never decided by them (broker/standing.py).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from broker.signing import SigningKey
from broker.storage import Storage
from consent import status_list, status_places
from consent.status_places import BITS, SIZE, Place
from consent.token import Status, StatusReference
from policies.refusals import Code, Refused

TYPE: Final = "statuslist+jwt"
KEEP: Final = 30
"""Seconds for which whoever fetched a list may go by it."""
LIFE: Final = 3600
"""Seconds until nobody may go by it any more."""
MADE_FOR: Final = 5
"""Seconds before a list is made anew: strangers may ask as often as they like, and it costs what a page costs."""


@dataclass(slots=True)
class StatusLists:
    """Each list as last made. The lock lets one caller make a list while the others wait for it."""

    issuer: str
    key: SigningKey = field(repr=False)
    storage: Storage
    now: Callable[[], float]
    _made: dict[int, tuple[float, str]] = field(default_factory=dict)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    def reference(self, place: Place) -> Status:
        """The member `status` of the consent in that place."""
        return Status(StatusReference(place.idx, self.uri(place.number)))

    def uri(self, number: int) -> str:
        return f"{self.issuer}/v1/status-lists/{number}"

    async def token(self, number: int) -> str:
        """The list as a compact JWS, at most MADE_FOR seconds old. Raises Refused(not_found)."""
        async with self._making:
            now = self.now()
            made, token = self._made.get(number, (float("-inf"), ""))
            if not 0 <= now - made < MADE_FOR:
                token = await self.storage.read(lambda connection: self._make(connection, number, int(now)))
                self._made[number] = (now, token)
            return token

    def _make(self, connection: Connection, number: int, now: int) -> str:
        if not 1 <= number <= status_places.newest_list(connection):
            raise Refused(Code.NOT_FOUND)
        packed = status_list.pack(status_places.statuses(connection, number), size=SIZE, bits=BITS)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": self.uri(number),
            "iat": now,
            "exp": now + LIFE,
            "ttl": KEEP,
            "status_list": {"bits": BITS, "lst": status_list.encode(packed)},
        }
        return self.key.token(TYPE, claims)
