"""/me: what I agreed to, and taking it back; all of it by plain forms, for a withdrawal must never need a script."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection, select

from audit import events, tables
from audit.search import Wanted, newest
from broker import requesters
from broker.accesses import AT_ONCE
from broker.api import wire
from broker.api.devices import devices_of, lost_devices
from broker.api.my_consents import (
    consent_members,
    mine_to_end,
    pause_consent,
    resume_consent,
    withdraw_consent,
)
from broker.api.my_waiting import my_requests
from broker.login import Session
from broker.pages.citizens import CitizenRoute, see
from broker.pages.rendering import Language, language_of, page_of_forms
from broker.progress import my_bundles
from broker.wiring import Broker
from consent import grants

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.get("")
async def read(request: Request) -> Response:
    """My authorizations: what waits for my word, then those that stand."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    mine = await broker.storage.read(lambda connection: _consents(connection, broker, session))
    asked = await broker.storage.read(lambda connection: my_requests(connection, broker, session))
    devices = await devices_of(broker, session)
    english = language_of(request) is Language.ENGLISH
    kids = [device["kid"] for device in devices if device["removed_at"] is None]
    return page_of_forms(
        "me.html",
        request,
        waiting=[one for one in asked["waiting"] if one["bundle"] is None],
        declined=asked["declined"],
        bundles=await broker.storage.read(lambda connection: my_bundles(connection, broker, session, english=english)),
        standing=[one for one in mine if one["status"] in (grants.ACTIVE, grants.PAUSED)],
        ended=[one for one in mine if one["status"] not in (grants.ACTIVE, grants.PAUSED)],
        catalogue=broker.catalogue,
        devices={"issuer": broker.settings.issuer, "now": broker.now(), "kids": kids},
    )


@router.post("/consents/{jti}/withdraw")
async def withdraw(request: Request, jti: str) -> Response:
    """By the device's signature where the page could make one, else by the fresh sign-in."""
    session = await wire.changing(request)
    fields = await wire.read_fields(request)
    await withdraw_consent(wire.broker_of(request), session, jti, fields.get("withdrawal", ""))
    return see(request, "/me", jti)


@router.post("/consents/{jti}/pause")
async def pause(request: Request, jti: str) -> Response:
    session = await wire.changing(request)
    await wire.broker_of(request).storage.record(lambda transaction: pause_consent(transaction, session, jti))
    return see(request, "/me", jti)


@router.post("/consents/{jti}/resume")
async def resume(request: Request, jti: str) -> Response:
    session = await wire.changing(request)
    await wire.broker_of(request).storage.record(lambda transaction: resume_consent(transaction, session, jti))
    return see(request, "/me", jti)


def _consents(connection: Connection, broker: Broker, session: Session) -> list[dict[str, Any]]:
    names = {one.id: one for one in requesters.read_all(connection)}
    entries, lost = _granted_entries(connection, session.subject_ref), lost_devices(connection, session.subject_ref)
    return [
        consent_members(granted, session, broker.now())
        | {"requester": names[granted.requester], "entry": entries.get(granted.jti), "lost": granted.iss in lost}
        for granted in mine_to_end(connection, session)
    ]


def _granted_entries(connection: Connection, subject_ref: str) -> dict[str, int]:
    """The log entries of my newest signatures, by the consent's jti."""
    entry = tables.entry
    found = newest(connection, Wanted(subject_ref=subject_ref, events=(events.ConsentGranted.NAME,)), AT_ONCE)
    rows = connection.execute(select(entry.c.idx, entry.c.body).where(entry.c.idx.in_(found)))
    return {json.loads(row.body)["body"]["consent"]["jti"]: row.idx for row in rows}
