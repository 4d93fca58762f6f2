"""/steward/items: what my department shares, with whom and for what; the stop, and outages told beforehand."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker import requesters, stops
from broker.api import wire
from broker.moments import day_of
from broker.names import Names
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles
from broker.pages.steward_desk import back_to, department_of, my_item, shown, side_of
from broker.requesters import Requester
from broker.staff.roles import Role
from broker.stewards import agreements, outages
from broker.stewards.items import Known, item_members, item_rows, items_of
from broker.wiring import Broker
from policies.identifiers import read_label
from policies.refusals import Code, Refused
from policies.vocabulary import Item

router = APIRouter(prefix="/steward", tags=["staff"], route_class=for_roles(Role.STEWARD))

REASON_LIMIT = 200


@router.get("/items")
async def read_items(request: Request) -> Response:
    """Every item of my department: fields, who needs it for what, routes and their state, stops, agreements."""
    broker, department = wire.broker_of(request), department_of(request)
    told, _ = await _told(request, broker, items_of(broker.catalogue, department))
    members = {"department": department, "items": told}
    return shown(request, "steward_items.html", members, item_rows(told))


@router.get("/items/{item}")
async def read_item(request: Request, item: str) -> Response:
    """One item, with the switch and the outages."""
    broker, found = wire.broker_of(request), my_item(request, item)
    (told,), registered = await _told(request, broker, [found])
    return shown(
        request,
        "steward_item.html",
        {"department": found.department, "one": told},
        item_rows([told]),
        registered=registered,
    )


@router.post("/items/{item}/stop")
async def stop(request: Request, item: str) -> Response:
    """From this commit on nothing of it leaves: to everybody, or to the requester named."""
    found, fields = my_item(request, item), await wire.read_fields(request)
    reason, requester, side = _reason(fields.get("reason", "")), fields.get("requester", ""), side_of(request)

    def work(transaction: Transaction) -> None:
        if requester and requesters.find(transaction.connection, requester) is None:
            raise Refused(Code.INVALID_REQUEST, member="requester")
        stops.stop_releases(transaction, found.id, reason, requester=requester, side=side)

    await wire.broker_of(request).storage.record(work)
    return back_to(request, f"/steward/items/{found.id}")


@router.post("/items/{item}/start")
async def start(request: Request, item: str) -> Response:
    """Lift what my side stopped; an operator's stop stays."""
    found, fields = my_item(request, item), await wire.read_fields(request)
    lift = partial(stops.start_releases, item=found.id, requester=fields.get("requester", ""), side=side_of(request))
    await wire.broker_of(request).storage.record(lift)
    return back_to(request, f"/steward/items/{found.id}")


@router.post("/items/{item}/outages")
async def announce(request: Request, item: str) -> Response:
    """When it will not be answered: from, to, and the words that people read."""
    found, fields = my_item(request, item), await wire.read_fields(request)
    told = partial(outages.announce, item=found.id, outage=outages.read_outage(fields), side=side_of(request))
    await wire.broker_of(request).storage.record(told)
    return back_to(request, f"/steward/items/{found.id}")


@router.post("/items/{item}/outages/{number}/cancel")
async def cancel(request: Request, item: str, number: str) -> Response:
    found = my_item(request, item)
    side = side_of(request)
    await wire.broker_of(request).storage.record(partial(outages.cancel, number=number, side=side))
    return back_to(request, f"/steward/items/{found.id}")


async def _told(
    request: Request, broker: Broker, items: Sequence[Item]
) -> tuple[list[dict[str, Any]], Sequence[Requester]]:
    def work(connection: Connection) -> tuple[list[dict[str, Any]], Sequence[Requester]]:
        names: Names = names_of(request, connection, broker.catalogue)
        known = _known(connection, broker, department_of(request))
        return [item_members(names, item, known) for item in items], list(names.requesters.values())

    return await broker.storage.read(work)


def _known(connection: Connection, broker: Broker, department: str) -> Known:
    announced = outages.still_announced(connection, broker.now())
    return Known(
        health=broker.directory.health(outages.by_item(announced)),
        stops=stops.read_all(connection),
        outages=announced,
        agreements=agreements.of_department(connection, department),
        today=day_of(broker.now()).isoformat(),
    )


def _reason(text: str) -> str:
    """For the log, so it must not name anybody. Raises Refused(invalid_request)."""
    try:
        reason = read_label(text.strip(), REASON_LIMIT)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="reason") from error
    if not reason:
        raise Refused(Code.INVALID_REQUEST, member="reason")
    return reason
