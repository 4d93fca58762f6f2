"""Having the log's newest checkpoint time-stamped every so often, beside everything else (RFC 3161).

Kept in `audit_seal` only after it was verified against the configured roots. Without a fresh one releases stop where
the settings say so: broker/standing.py reads what is kept here.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import Connection

from audit import seals
from audit.batch import Transaction, read_head
from audit.errors import TimestampRefused
from audit.timestamps import REQUEST_TYPE, Request, Timestamp
from broker.alarms import FINE, Alarm
from broker.posting import open_session, post
from broker.sealing import TimestampSettings
from broker.storage import Storage
from broker.telemetry import Telemetry

LOOK_EVERY: Final = 2.0
"""Seconds between looks whether a time stamp is due."""
AGAIN_AFTER: Final = 30.0
"""Seconds until an authority that failed is asked again."""
_NAME_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class _Newest:
    """What there is to stamp, and what was stamped last (`time` in seconds since 1970, minus infinity for never)."""

    size: int
    checkpoint: bytes
    stamped: int
    time: float


class Timestamping:
    """Owns the alarm. Lives on the server's event loop."""

    def __init__(
        self, settings: TimestampSettings, storage: Storage, telemetry: Telemetry, now: Callable[[], float]
    ) -> None:
        """`now` is in seconds since 1970."""
        self._settings = settings
        self._storage = storage
        self._telemetry = telemetry
        self._now = now
        self._alarm = Alarm(telemetry.log, "time stamps")
        self._newest_time = float("-inf")
        self._failed_at = float("-inf")

    async def run(self) -> None:
        """Look and stamp, for ever; one that fails is told and tried again."""
        async with open_session() as session:
            while True:
                await self._look(session)
                await asyncio.sleep(LOOK_EVERY)

    def alarms(self) -> dict[str, str]:
        return {"timestamps": self._alarm.state}

    def measure(self) -> None:
        """Set the gauge; infinite while there is none."""
        self._telemetry.timestamp_age.set(max(0.0, self._now() - self._newest_time))

    async def _look(self, session: aiohttp.ClientSession) -> None:
        try:
            newest = await self._storage.read(_read_newest)
            self._newest_time = newest.time
            if self._is_due(newest):
                if time.monotonic() - self._failed_at < AGAIN_AFTER:
                    return
                self._newest_time = await self._stamp(session, newest)
        except (TimestampRefused, aiohttp.ClientError, OSError, TimeoutError) as error:
            self._fail(str(error) if isinstance(error, TimestampRefused) else f"not reached: {type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a look meets
            self._fail(f"not asked: {type(error).__name__}")
        else:
            self._failed_at = float("-inf")
            self._alarm.set(FINE)

    def _is_due(self, newest: _Newest) -> bool:
        # A log that has not grown is stamped again only where releases depend on a fresh one
        wanted = newest.size > newest.stamped or bool(self._settings.stop_after)
        return wanted and self._now() - newest.time >= self._settings.every

    async def _stamp(self, session: aiohttp.ClientSession, newest: _Newest) -> float:
        request = Request(newest.checkpoint)
        status, response = await post(session, self._settings.url, request.octets, REQUEST_TYPE)
        if status != 200:  # noqa: PLR2004 - RFC 3161 over HTTP knows no other good answer
            raise TimestampRefused(f"the authority answered {status}")
        stamp = await asyncio.to_thread(request.verify, response, self._settings.roots)
        await self._keep(newest, stamp)
        return stamp.time / 1_000_000

    async def _keep(self, newest: _Newest, stamp: Timestamp) -> None:
        name = f"{urlsplit(self._settings.url).hostname}/{stamp.serial}"[-_NAME_LIMIT:]
        octets = seals.stamped(newest.checkpoint, stamp.response)
        seal = seals.Seal(newest.size, seals.TIMESTAMP, name, octets, stamp.time)

        def work(transaction: Transaction) -> None:
            seals.keep(transaction.connection, seal)

        await self._storage.record(work)

    def _fail(self, state: str) -> None:
        self._failed_at = time.monotonic()
        self._alarm.set(state)


def _read_newest(connection: Connection) -> _Newest:
    head = read_head(connection)
    stamped = seals.newest_size(connection, seals.TIMESTAMP)
    newest = seals.newest_time(connection, seals.TIMESTAMP)
    seconds = newest / 1_000_000 if newest is not None else float("-inf")
    return _Newest(head.frontier.size, head.checkpoint, stamped, seconds)
