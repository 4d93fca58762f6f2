"""/me/devices: what signs for me and what signs me in; given up, or reported lost, by plain forms."""

from fastapi import APIRouter, Request, Response

from broker import passkeys
from broker.api import wire
from broker.api.devices import devices_of, remove_device, report_lost
from broker.api.passkeys import passkeys_of, remove_passkey
from broker.pages.citizens import CitizenRoute, see
from broker.pages.rendering import page_of_forms

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.get("/devices")
async def read(request: Request) -> Response:
    """My devices and passkeys."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    mine = await devices_of(broker, session)
    return page_of_forms(
        "devices.html",
        request,
        standing=[device for device in mine if device["removed_at"] is None],
        passkeys=await passkeys_of(broker, session),
        possible=passkeys.possible(broker.settings),
    )


@router.post("/devices/{kid}/remove")
async def remove(request: Request, kid: str) -> Response:
    session = await wire.changing(request)
    await remove_device(wire.broker_of(request), session, kid)
    return see(request, "/me/devices")


@router.post("/devices/{kid}/lost")
async def lose(request: Request, kid: str) -> Response:
    """On to the authorizations, where what was paused with it says so."""
    session = await wire.changing(request)
    recorded = await report_lost(wire.broker_of(request), session, kid)
    return see(request, "/me" if recorded.value else "/me/devices")


@router.post("/passkeys/{passkey}/remove")
async def remove_one(request: Request, passkey: str) -> Response:
    session = await wire.changing(request)
    await remove_passkey(wire.broker_of(request), session, passkey)
    return see(request, "/me/devices")
