"""/healthz, /readyz and /metrics: for machines that watch. They return nobody's data and are not logged."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from audit.batch import read_head
from broker.api import wire
from broker.department_watch import Shared, measure, read_shared
from broker.moments import rfc3339
from broker.readiness import in_time, readiness
from broker.stewards import outages
from broker.stewards.outages import Announced
from broker.wiring import Broker

router = APIRouter(tags=["operators"])


@router.get("/healthz")
async def alive() -> Response:
    return wire.reply({"status": "alive"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """200 where an exchange could be admitted and released now, and by this process; else 503 with what is not."""
    broker = wire.broker_of(request)
    found, announced = await asyncio.gather(readiness(broker), in_time(_announced(broker), ()))
    if request.app.state.leaving():
        found = found.with_check("process", "leaving: ask another")
    told = {
        "status": "ready" if found.well else "not ready",
        "checks": found.checks,
        "alarms": found.alarms,
        "backup": broker.backups.told(),
        "departments": _departments(broker, announced),
        "outages": [outages.members(one) for one in announced],
    }
    return wire.reply(told, 200 if found.well else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    broker = wire.broker_of(request)

    def query(connection: Connection) -> tuple[int, Shared]:
        return read_head(connection).frontier.size, read_shared(connection, broker.now())

    size, shared = await broker.storage.read(query)
    broker.telemetry.log_size.set(size)
    broker.telemetry.exchanges.set(broker.path.places.taken)
    measure(broker.telemetry, broker.directory.health(), shared)
    await broker.backups.look()
    for part in (*broker.outside, broker.backups):
        part.measure()
    return Response(generate_latest(broker.telemetry.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _departments(broker: Broker, announced: Sequence[Announced]) -> dict[str, list[dict[str, str]]]:
    """How each department's routes do, as this process saw it. Their trouble is theirs: the broker stays ready."""
    told: dict[str, list[dict[str, str]]] = {}
    for route in broker.directory.health(outages.by_item(announced)):
        members = {"route": route.route, "item": route.item, "level": route.level, "state": route.state.value}
        if route.last is not None:
            members |= {"outcome": route.last.outcome, "asked_at": rfc3339(int(route.last.at.timestamp()))}
        if route.answers_at is not None:
            members["answers_at"] = rfc3339(int(route.answers_at.timestamp()))
        told.setdefault(route.department, []).append({name: value for name, value in members.items() if value})
    return told


async def _announced(broker: Broker) -> Sequence[Announced]:
    """Outages that departments told beforehand; none where the database does not say, for its check says so itself."""
    try:
        return await broker.storage.read(lambda connection: outages.still_announced(connection, broker.now()))
    except SQLAlchemyError:
        return ()
