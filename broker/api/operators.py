"""/healthz, /readyz and /metrics: for machines that watch. They return nobody's data and are not logged."""

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection, select

from audit.batch import read_head
from audit.errors import AuditError
from broker import tables
from broker.api import wire
from broker.standing import EVERYTHING
from broker.wiring import Broker

router = APIRouter(tags=["operators"])


@router.get("/healthz")
async def alive() -> Response:
    return wire.reply({"status": "alive"})


@router.get("/readyz")
async def ready(request: Request) -> Response:
    """200 where an exchange could be admitted and released now; else 503 with what is not."""
    broker = wire.broker_of(request)
    checks = await broker.storage.read(_stored_checks)
    checks["ledger"] = await _ledger_writes(broker)
    checks["policies"] = "ok" if broker.rules.digest and broker.catalogue.matters else "none loaded"
    well = all(found == "ok" for found in checks.values())
    return wire.reply({"status": "ready" if well else "not ready", "checks": checks}, 200 if well else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    broker = wire.broker_of(request)
    head = await broker.storage.read(read_head)
    broker.telemetry.log_size.set(head.frontier.size)
    return Response(generate_latest(broker.telemetry.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _stored_checks(connection: Connection) -> dict[str, Any]:
    read_head(connection)
    stopped = connection.execute(select(tables.stop.c.item).where(tables.stop.c.item == EVERYTHING)).one_or_none()
    return {"database": "ok", "releases": "ok" if stopped is None else "stopped"}


async def _ledger_writes(broker: Broker) -> str:
    try:
        await broker.storage.record(lambda _: None)
    except AuditError as error:
        return str(error)
    return "ok"
