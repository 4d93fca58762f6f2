"""What the desk's pages work with, put together once: settings, store, the broker's client and a log without values."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from broker.client import Reply, RequesterClient
from broker.desk.offered import Catalogue, Offered
from broker.desk.refusals import Refused, Why
from broker.desk.settings import DeskSettings
from broker.desk.store import Store

HASHES_AT_ONCE: Final = 2
TIMEOUT: Final = aiohttp.ClientTimeout(total=90)


@dataclass(slots=True)
class Desk:
    """The running desk. `http` is opened and closed by the application's lifespan."""

    settings: DeskSettings
    store: Store
    log: Any
    client: RequesterClient
    catalogue: Catalogue
    stopping: Callable[[], bool] = lambda: False
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))
    """PINs are slow to hash, on purpose: many tries at once must not keep the threads from everybody else."""

    @classmethod
    def open(cls, settings: DeskSettings, store: Store, log: Any, http: aiohttp.ClientSession) -> "Desk":
        client = RequesterClient(http, settings.broker, settings.requester, settings.key)
        return cls(settings, store, log, client, Catalogue(lambda: call(client.catalogue())))

    @staticmethod
    def now() -> int:
        return int(time.time())

    async def offered(self) -> Offered:
        try:
            return await self.catalogue.offered()
        except Refused:
            if self.catalogue.last is None:
                raise
            return self.catalogue.last


async def call(asking: Awaitable[Reply]) -> Reply:
    """The broker's answer. Raises Refused(broker_unreachable | broker_refused, with the broker's own code)."""
    try:
        reply = await asking
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise Refused(Why.UNREACHABLE) from None
    if reply.status >= HTTPStatus.BAD_REQUEST:
        stopped = [(str(one["item"]), str(one["why"])) for one in reply.members.get("stopped", ())]
        raise Refused(Why.BROKER, reply.code, stopped) if reply.code else Refused(Why.UNREACHABLE)
    return reply
