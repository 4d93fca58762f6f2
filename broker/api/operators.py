"""/healthz, /readyz and /metrics: for machines that watch. They return nobody's data and are not logged."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from audit.batch import read_head
from audit.errors import AuditError
from broker import tables
from broker.api import wire
from broker.standing import EVERYTHING, unstamped
from broker.wiring import Broker

router = APIRouter(tags=["operators"])

ANSWER_SECONDS: Final = 2.0
LATE: Final = f"no answer within {ANSWER_SECONDS:g} s"


@router.get("/healthz")
async def alive() -> Response:
    return wire.reply({"status": "alive"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """200 where an exchange could be admitted and released now; else 503 with what is not."""
    broker = wire.broker_of(request)
    ledger, database = await asyncio.gather(
        _in_time(_ledger_writes(broker), {"ledger": LATE}),
        _in_time(_database_reads(broker), {"database": LATE, "releases": "unknown"}),
    )
    checks = database | ledger
    alarms = {name: state for part in broker.outside for name, state in part.alarms().items()}
    checks["clock"] = _clock_is_right(broker)
    checks["policies"] = "ok" if broker.rules.digest and broker.catalogue.matters else "none loaded"
    well = all(found == "ok" for found in checks.values())
    # An alarm stops nothing by itself: a witness or an outside clock may be away while citizens are served
    told = {"status": "ready" if well else "not ready", "checks": checks, "alarms": alarms}
    return wire.reply(told, 200 if well else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    broker = wire.broker_of(request)
    head = await broker.storage.read(read_head)
    broker.telemetry.log_size.set(head.frontier.size)
    for part in broker.outside:
        part.measure()
    return Response(generate_latest(broker.telemetry.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _database_reads(broker: Broker) -> dict[str, str]:
    try:
        return await broker.storage.read(lambda connection: _stored_checks(connection, broker))
    except DBAPIError as error:  # its second line may quote values
        return {"database": str(error.orig).partition("\n")[0], "releases": "unknown"}
    except SQLAlchemyError as error:
        return {"database": type(error).__name__, "releases": "unknown"}


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


async def _in_time(check: Awaitable[dict[str, str]], late: dict[str, str]) -> dict[str, str]:
    """Whoever watches must hear of a store that hangs; the check itself goes on and harms nobody."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await check
    except TimeoutError:
        return late
