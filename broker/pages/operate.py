"""/operate and /operate/keys: how the broker does, the one switch, what ends soon. No personal value stands here."""

import asyncio
import shutil
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from audit.batch import read_head
from broker import stops
from broker.api import wire
from broker.expiring import Ending, certificates, requesters_keys
from broker.moments import rfc3339
from broker.pages.rendering import query_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.readiness import readiness
from broker.staff.roles import Role
from broker.wiring import Broker
from policies.refusals import Code, Refused

router = APIRouter(prefix="/operate", tags=["staff"], route_class=for_roles(Role.SYSTEM))

LONGEST_REASON: Final = 200
GIB: Final = 1 << 30
LOW_DISK: Final = 0.1
"""Of the whole; below it there is an alarm."""


@router.get("")
async def overview(request: Request) -> Response:
    """One screen: is all well, how large is the log, how much room is left, what ends soon."""
    broker = wire.broker_of(request)
    found = await readiness(broker)
    state = await broker.storage.read(lambda connection: _state(connection, broker))
    members = {
        "well": found.well,
        "checks": dict(found.checks),
        "alarms": dict(found.alarms) | _disk_alarm(broker),
        **state,
        "backup": broker.backups.told(),
        "disk": _disk(broker),
        "process": broker.process.id,
        "catalogue": broker.catalogue.version,
    }
    return view(request, "operate.html", members, _rows(members), staff=staff_of(request).member)


@router.get("/keys")
async def keys(request: Request) -> Response:
    """Certificates by their end, requesters' keys by their age."""
    broker = wire.broker_of(request)
    folders = [broker.settings.secrets, broker.settings.route_secrets]
    ending = await asyncio.to_thread(certificates, folders, broker.now())
    ages = await broker.storage.read(lambda connection: requesters_keys(connection, broker.now()))
    members = {
        "certificates": [
            {
                "file": one.file,
                "subject": one.subject,
                "until": one.until.isoformat(),
                "days": one.days,
                "state": one.state,
            }
            for one in ending
        ],
        "requester_keys": [
            {
                "requester": one.requester,
                "kid": one.kid,
                "added_at": rfc3339(one.added_at),
                "days": one.days,
                "state": one.state,
            }
            for one in ages
        ],
    }
    return view(request, "operate_keys.html", members, members["certificates"], staff=staff_of(request).member)


@router.post("/releases/stop")
async def stop_everything(request: Request) -> Response:
    """The one switch, with a reason."""
    broker = wire.broker_of(request)
    reason = (await wire.read_fields(request)).get("reason", "").strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Refused(Code.INVALID_REQUEST, member="reason")
    await broker.storage.record(lambda transaction: stops.stop_releases(transaction, "", reason))
    return RedirectResponse("/operate" + query_of(request), 303, wire.NO_STORE)


@router.post("/releases/start")
async def start_everything(request: Request) -> Response:
    await wire.broker_of(request).storage.record(lambda transaction: stops.start_releases(transaction, ""))
    return RedirectResponse("/operate" + query_of(request), 303, wire.NO_STORE)


def _told(one: Ending) -> dict[str, Any]:
    return {
        "file": one.file,
        "subject": one.subject,
        "until": one.until.isoformat(),
        "days": one.days,
        "state": one.state,
    }


def _state(connection: Connection, broker: Broker) -> dict[str, Any]:
    head = read_head(connection)
    old = [one for one in requesters_keys(connection, broker.now()) if one.state != "ok"]
    last = broker.storage.ledger.last_time // 1_000_000
    return {
        "log": {"size": head.frontier.size, "origin": head.origin, "last_at": rfc3339(last)},
        "old_keys": len(old),
        "certificates_ending": sum(
            one.state != "ok"
            for one in certificates([broker.settings.secrets, broker.settings.route_secrets], broker.now())
        ),
    }


def _disk(broker: Broker) -> dict[str, Any]:
    usage = shutil.disk_usage(broker.settings.anchor.parent)
    return {"free_gib": round(usage.free / GIB, 1), "total_gib": round(usage.total / GIB, 1)}


def _disk_alarm(broker: Broker) -> dict[str, str]:
    usage = shutil.disk_usage(broker.settings.anchor.parent)
    return {"disk": f"{usage.free / GIB:.1f} GiB free"} if usage.free < usage.total * LOW_DISK else {}


def _rows(members: dict[str, Any]) -> list[dict[str, str]]:
    told = [("check", name, state) for name, state in members["checks"].items()]
    told += [("alarm", name, state) for name, state in members["alarms"].items()]
    return [{"kind": kind, "name": name, "state": state} for kind, name, state in told]
