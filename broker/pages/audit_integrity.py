"""/audit/integrity: the signed checkpoint to print, and the whole log verified on demand."""

import base64
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from audit import seals, verify
from audit.batch import format_time, read_head
from audit.note import read_note
from audit.search import Wanted, newest
from audit.staff_events import LogVerified
from broker.api import wire
from broker.auditing.integrity import Integrity
from broker.auditing.looking import look
from broker.own_entries import entries
from broker.pages.rendering import query_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.staff.roles import Role
from broker.wiring import Broker

router = APIRouter(prefix="/audit/integrity", tags=["auditors"], route_class=for_roles(Role.AUDITOR))


@router.get("")
async def read(request: Request) -> Response:
    """The newest checkpoint with what others sealed, and what the last verification came to."""
    broker, me = wire.broker_of(request), staff_of(request).member
    await look(broker.storage, me, "integrity")
    members = await broker.storage.read(lambda connection: _members(connection, broker))
    members["running"] = _running(request)
    row = {name: members["checkpoint"][name] for name in ("origin", "size", "root", "time")}
    return view(request, "audit_integrity.html", members, [row], staff=me)


@router.post("")
async def start(request: Request) -> Response:
    """Verify all of it, in the background. Refused while that is being done already."""
    broker, me = wire.broker_of(request), staff_of(request).member
    await look(broker.storage, me, "verify")
    integrity_of(request).start(me)
    return RedirectResponse("/audit/integrity" + query_of(request), 303, wire.NO_STORE)


@router.get("/progress")
async def progress(request: Request) -> Response:
    """How far it has come; nothing of the log, so asking leaves no entry."""
    return wire.reply({"running": _running(request)})


def integrity_of(request: Request) -> Integrity:
    integrity: Integrity = request.app.state.integrity
    return integrity


def _running(request: Request) -> Mapping[str, Any] | None:
    found = integrity_of(request).progress
    return {"by": found.by, "done": found.done, "size": found.size} if found is not None else None


def _members(connection: Connection, broker: Broker) -> dict[str, Any]:
    head = read_head(connection)
    size = head.frontier.size
    signed = verify.open_note(head.checkpoint, broker.keys.log.vkey)
    checkpoint = {
        "origin": signed.origin,
        "size": size,
        "root": base64.b64encode(signed.root).decode(),
        "time": format_time(head.last_time),
        "log_key": broker.keys.log.vkey,
        "note": head.checkpoint.decode(),
    }
    return {
        "checkpoint": checkpoint,
        "witnesses": _witnesses(connection, broker, head.origin, size),
        "time_stamps": [
            {"size": one.size, "authority": one.name, "time": format_time(one.time)}
            for one in seals.newest(connection, seals.TIMESTAMP, size)
        ],
        "last": _last(connection),
    }


def _witnesses(connection: Connection, broker: Broker, origin: str, size: int) -> list[dict[str, Any]]:
    """By witness the largest tree that it cosigned."""
    found: dict[str, dict[str, Any]] = {}
    for sealed in seals.cosigned_last(connection, size):
        note = seals.cosigned(connection, origin, sealed)
        for signature in read_note(note).signatures if note else ():
            if signature.name != broker.keys.log.name:
                found[signature.name] = {"witness": signature.name, "size": sealed}
    return list(found.values())


def _last(connection: Connection) -> Mapping[str, Any] | None:
    indexes = newest(connection, Wanted(events=(LogVerified.NAME,)), 1)
    if not indexes:
        return None
    entry = entries(connection, indexes)[indexes[0]]
    names = ("number", "size", "root", "problems", "first_bad", "unindexed", "seconds")
    return {"entry": entry["index"], "time": entry["time"]} | {name: entry["body"][name] for name in names}
