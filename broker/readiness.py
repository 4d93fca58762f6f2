"""Whether an exchange could be admitted and released now, and if not, why: for watching machines and operators."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from audit.batch import read_head
from audit.errors import AuditError
from broker import tables
from broker.standing import EVERYTHING, unstamped
from broker.wiring import Broker

T = TypeVar("T")

ANSWER_SECONDS: Final = 2.0
LATE: Final = f"no answer within {ANSWER_SECONDS:g} s"


@dataclass(frozen=True, slots=True)
class Readiness:
    """`checks` by name: `ok`, or why not. An alarm stops nothing by itself."""

    checks: Mapping[str, str]
    alarms: Mapping[str, str]

    @property
    def well(self) -> bool:
        return all(found == "ok" for found in self.checks.values())

    def with_check(self, name: str, found: str) -> "Readiness":
        return Readiness({**self.checks, name: found}, self.alarms)


async def readiness(broker: Broker) -> Readiness:
    """Within ANSWER_SECONDS, whatever hangs."""
    ledger, database = await asyncio.gather(
        in_time(_ledger_writes(broker), {"ledger": LATE}),
        in_time(_database_reads(broker), {"database": LATE, "releases": "unknown"}),
    )
    policies = "ok" if broker.rules.digest and broker.catalogue.matters else "none loaded"
    checks = database | ledger | {"clock": _clock_is_right(broker), "policies": policies}
    # A witness or an outside clock may be away while citizens are served
    watching = (*broker.outside, broker.backups)
    return Readiness(checks, {name: state for part in watching for name, state in part.alarms().items()})


async def _database_reads(broker: Broker) -> dict[str, str]:
    try:
        found = await broker.storage.read(lambda connection: _stored_checks(connection, broker))
        await broker.backups.look()
    except DBAPIError as error:  # its second line may quote values
        return {"database": str(error.orig).partition("\n")[0], "releases": "unknown"}
    except SQLAlchemyError as error:
        return {"database": type(error).__name__, "releases": "unknown"}
    return found


def _stored_checks(connection: Connection, broker: Broker) -> dict[str, str]:
    read_head(connection)
    if unstamped(connection, broker.now(), broker.path.stop_after) is not None:
        return {"database": "ok", "releases": "stopped: the log has no fresh time stamp"}
    stopped = connection.execute(select(tables.stop.c.item).where(tables.stop.c.item == EVERYTHING)).one_or_none()
    return {"database": "ok", "releases": "ok" if stopped is None else "stopped"}


def _clock_is_right(broker: Broker) -> str:
    behind = (broker.storage.ledger.last_time - broker.clock()) / 1_000_000
    return "ok" if behind <= broker.settings.clock_limit else f"{behind:.0f} s behind the log"


async def _ledger_writes(broker: Broker) -> dict[str, str]:
    try:
        await broker.storage.record(lambda _: None)
    except AuditError as error:
        return {"ledger": str(error)}
    return {"ledger": "ok"}


async def in_time(check: Awaitable[T], late: T) -> T:
    """Whoever watches must hear of a store that hangs; the check itself goes on and harms nobody."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await check
    except TimeoutError:
        return late
