"""/operate/configuration: a changed configuration on its way, by two system administrators (broker/configuring.py)."""

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from broker import configuring
from broker.api import wire
from broker.configuring import Candidate, Change, Digests, Stage
from broker.pages.rendering import query_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.staff.roles import Role
from broker.wiring import Broker
from policies.refusals import Code, Refused

router = APIRouter(prefix="/operate/configuration", tags=["staff"], route_class=for_roles(Role.SYSTEM))


@router.get("")
async def configuration(request: Request) -> Response:
    """What runs, what the files say now, how they differ, and what the recorded answers make of it."""
    broker, me = wire.broker_of(request), staff_of(request).member
    running = running_digests(broker)
    candidate = await _candidate(broker)
    change = await broker.storage.read(lambda connection: _change(connection, candidate))
    differences = [{"kind": kind, "id": id_, "change": what} for kind, id_, what in candidate.differences]
    members = {
        "running": configuring.members(running),
        "candidate": configuring.members(candidate.digests) if candidate.digests is not None else None,
        "mistake": candidate.mistake,
        "same": candidate.digests == running,
        "differences": differences,
        "failing": [{"route": route, "in": what} for route, what in candidate.failing],
        "stage": change.stage if change is not None else "",
        "proposed_by": change.proposed_by if change is not None else "",
        "second_person": broker.settings.second_person,
    }
    return view(request, "operate_configuration.html", members, differences, staff=me)


@router.post("/propose")
async def propose(request: Request) -> Response:
    """The files as they stand now, if they are without a mistake and their recorded answers come out."""
    broker, me = wire.broker_of(request), staff_of(request).member
    digests = await _shown_and_still_so(request, broker)
    await broker.storage.record(lambda transaction: configuring.propose(transaction, digests, me))
    return _back(request)


@router.post("/approve")
async def approve(request: Request) -> Response:
    """The second person's yes to exactly what was shown."""
    return await _decide(request, approved=True)


@router.post("/turn-down")
async def turn_down(request: Request) -> Response:
    return await _decide(request, approved=False)


def running_digests(broker: Broker) -> Digests:
    settings = broker.settings
    return Digests(broker.catalogue.digest, broker.rules.digest, broker.directory.digest, settings.workdays.digest)


async def _decide(request: Request, *, approved: bool) -> Response:
    broker, me = wire.broker_of(request), staff_of(request).member
    digests = await _shown_and_still_so(request, broker)
    await broker.storage.record(lambda transaction: configuring.decide(transaction, digests, me, approved=approved))
    return _back(request)


async def _shown_and_still_so(request: Request, broker: Broker) -> Digests:
    """Raises Refused(already_decided) where the files are no longer what the page showed, or are not good."""
    shown = await wire.read_fields(request)
    candidate = await _candidate(broker)
    digests = candidate.digests
    if digests is None or candidate.failing or shown != configuring.members(digests):
        raise Refused(Code.ALREADY_DECIDED)
    return digests


async def _candidate(broker: Broker) -> Candidate:
    names = frozenset(one.route for one in broker.directory.health())
    return await asyncio.to_thread(
        configuring.read_candidate, broker.settings, broker.catalogue, running_digests(broker), names
    )


def _change(connection: Connection, candidate: Candidate) -> Change | None:
    if candidate.digests is None:
        return None
    found = configuring.find(connection, candidate.digests)
    return found if found is not None and found.stage is not Stage.TURNED_DOWN else None


def _back(request: Request) -> Response:
    return RedirectResponse("/operate/configuration" + query_of(request), 303, wire.NO_STORE)
