"""Looking, beside everything else, whether backups are still made and rehearsed; an alarm stops nothing."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from broker.alarms import FINE, Alarm
from broker.backup_limits import BackupLimits
from broker.backup_record import Acts, read_acts
from broker.moments import rfc3339
from broker.storage import Storage
from broker.telemetry import Telemetry

LOOK_EVERY: Final = 60.0


class BackupWatch:
    """Owns the alarm. Lives on the server's event loop."""

    def __init__(self, limits: BackupLimits, storage: Storage, telemetry: Telemetry, now: Callable[[], float]) -> None:
        """`now` is in seconds since 1970."""
        self._limits = limits
        self._storage = storage
        self._telemetry = telemetry
        self._now = now
        self._alarm = Alarm(telemetry.log, "backups")
        self._acts = Acts(None, None, None, None, None)

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            with contextlib.suppress(Exception):  # the loop must outlive whatever a look meets
                await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Another process made the backup, so only the database knows. Where that cannot be read, others say so."""
        with contextlib.suppress(SQLAlchemyError):
            self._acts = await self._storage.read(read_acts)
        wrong = ", ".join(self.alarms())  # without the hours, or it were another state every hour
        self._alarm.set(f"overdue or failed: {wrong}" if wrong else FINE, grave=self._acts.failed is not None)

    def alarms(self) -> dict[str, str]:
        return self._acts.alarms(self._limits, self._now())

    def told(self) -> dict[str, object]:
        """For whoever reads /readyz: when, and how long ago."""
        made, drilled, now = self._acts.made, self._acts.drilled, self._now()
        age, drill_age = self._acts.age(now), self._acts.drill_age(now)
        return {
            "made_at": rfc3339(made.at) if made is not None else None,
            "hours_ago": round(age / 3600, 1) if age is not None else None,
            "drilled_at": rfc3339(drilled.at) if drilled is not None else None,
            "drill_days_ago": round(drill_age / 86400, 1) if drill_age is not None else None,
        }

    def measure(self) -> None:
        """Set the gauges; infinite while there is none."""
        now = self._now()
        age, drill_age = self._acts.age(now), self._acts.drill_age(now)
        self._telemetry.backup_age.set(float("inf") if age is None else age)
        self._telemetry.drill_age.set(float("inf") if drill_age is None else drill_age)
        self._telemetry.drill_failed.set(self._acts.failed is not None)
