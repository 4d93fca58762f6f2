"""/steward/applications and /steward/agreements: who applies for what under which clock; what was agreed until when."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker.api import wire
from broker.inquiring import read_text
from broker.moments import day_of
from broker.names import Names
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles
from broker.pages.steward_desk import back_to, department_of, shown, side_of
from broker.staff.roles import Role
from broker.stewards import agreements, applications, filing
from broker.stewards.applications import Filed, Office
from broker.stewards.items import items_of
from policies.identifiers import numbers_in, read_label
from policies.refusals import Code, Refused

router = APIRouter(prefix="/steward", tags=["staff"], route_class=for_roles(Role.STEWARD))

LIST: Final = "/steward/applications"
CONSENT_LIMIT: Final = 200
_TICKED: Final = "item."
"""How the name of a ticked item begins: a form's fields come once each."""


@router.get("/applications")
async def read_applications(request: Request) -> Response:
    """Those whose clock runs, the first due at the head; then the others."""
    broker, department = wire.broker_of(request), department_of(request)

    def work(connection: Connection) -> tuple[list[dict[str, Any]], Names]:
        names = names_of(request, connection, broker.catalogue)
        filed = applications.read_all(connection, department)
        return [applications.members(names, one, broker.now()) for one in filed], names

    told, names = await broker.storage.read(work)
    rows = [one | {"fields": " ".join(one["fields"]), "missing": " ".join(one["missing"])} for one in told]
    return shown(
        request,
        "steward_applications.html",
        {"department": department, "applications": told},
        rows,
        registered=names.requesters.values(),
        mine=[item.id for item in items_of(broker.catalogue, department)],
        needed=filing.NEEDED,
    )


@router.post("/applications")
async def take_paper(request: Request) -> Response:
    """One that came on paper, typed in by the steward."""
    broker, department = wire.broker_of(request), department_of(request)
    application = filing.read_application(await wire.read_fields(request))
    filing.department_of(broker.catalogue, application, department)
    office = _office(request)
    filed = partial(applications.file, application=application, catalogue=broker.catalogue, office=office)
    number = (await broker.storage.record(filed)).value
    return back_to(request, f"{LIST}/{number}")


@router.get("/applications/{number}")
async def read_application(request: Request, number: str) -> Response:
    broker, found = wire.broker_of(request), await _mine(request, number)

    def work(connection: Connection) -> dict[str, Any]:
        return applications.members(names_of(request, connection, broker.catalogue), found, broker.now())

    told = await broker.storage.read(work)
    return shown(
        request,
        "steward_application.html",
        {"one": told},
        [told],
        needed=filing.NEEDED,
    )


@router.post("/applications/{number}/return")
async def give_back(request: Request, number: str) -> Response:
    """Tell the applicant, once, all that is missing."""
    words = await _words(request, "words")
    return await _step(request, number, partial(applications.give_back, words=words))


@router.post("/applications/{number}/complete")
async def complete(request: Request, number: str) -> Response:
    """What was missing came on paper."""
    found = await _mine(request, number)
    given = await wire.read_fields(request)
    known = {"requester": found.application.requester, "item": found.application.item}
    return await _step(
        request, number, partial(applications.complete, application=filing.read_application(given | known))
    )


@router.post("/applications/{number}/prolong")
async def prolong(request: Request, number: str) -> Response:
    """More time, once, with the authority's consent: its reference."""
    text = (await wire.read_fields(request)).get("consent", "").strip()
    try:
        consent = read_label(text, CONSENT_LIMIT)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="consent") from error
    if not consent:
        raise Refused(Code.INVALID_REQUEST, member="consent")
    return await _step(request, number, partial(applications.prolong, consent=consent))


@router.post("/applications/{number}/grant")
async def grant(request: Request, number: str) -> Response:
    return await _step(request, number, applications.grant)


@router.post("/applications/{number}/refuse")
async def refuse(request: Request, number: str) -> Response:
    reason = await _words(request, "reason")
    return await _step(request, number, partial(applications.refuse, reason=reason))


@router.post("/applications/{number}/supply")
async def supply(request: Request, number: str) -> Response:
    """It can be asked here now."""
    return await _step(request, number, applications.supply)


@router.get("/agreements")
async def read_agreements(request: Request) -> Response:
    """By the day they end."""
    broker, department = wire.broker_of(request), department_of(request)

    def work(connection: Connection) -> tuple[list[dict[str, Any]], Names]:
        names = names_of(request, connection, broker.catalogue)
        today = day_of(broker.now()).isoformat()
        made = agreements.of_department(connection, department)
        return [agreements.members(names, one, today) for one in made], names

    told, names = await broker.storage.read(work)
    return shown(
        request,
        "steward_agreements.html",
        {"department": department, "agreements": told},
        [one | {"items": " ".join(one["items"])} for one in told],
        names=names,
        mine=[item.id for item in items_of(broker.catalogue, department)],
        ticked=_TICKED,
    )


@router.post("/agreements")
async def make_agreement(request: Request) -> Response:
    broker, fields = wire.broker_of(request), await wire.read_fields(request)
    mine = [item.id for item in items_of(broker.catalogue, department_of(request))]
    new = agreements.read_agreement(fields, [item for item in mine if f"{_TICKED}{item}" in fields])
    await broker.storage.record(partial(agreements.make, new=new, side=side_of(request)))
    return back_to(request, "/steward/agreements")


@router.post("/agreements/{number}/end")
async def end_agreement(request: Request, number: str) -> Response:
    """Today and from now on it is none."""
    await wire.broker_of(request).storage.record(partial(agreements.end, number=number, side=side_of(request)))
    return back_to(request, "/steward/agreements")


async def _mine(request: Request, number: str) -> Filed:
    """Raises Refused(not_found); of another department forbidden, which is recorded."""
    found = await wire.broker_of(request).storage.read(lambda connection: applications.find(connection, number))
    if found.department != department_of(request):
        raise Refused(Code.FORBIDDEN)
    return found


async def _step(request: Request, number: str, step: Callable[..., None]) -> Response:
    found, office = await _mine(request, number), _office(request)

    def work(transaction: Transaction) -> None:
        step(transaction, found.number, office=office)

    await wire.broker_of(request).storage.record(work)
    return back_to(request, f"{LIST}/{found.number}")


def _office(request: Request) -> Office:
    return Office(side_of(request), wire.broker_of(request).settings.deadlines)


async def _words(request: Request, name: str) -> str:
    """A reason, for the log: it names nobody by number. Raises Refused(invalid_request)."""
    given = (await wire.read_fields(request)).get(name, "")
    text = read_text(given, applications.WORDS_LIMIT)
    if numbers_in(text):
        raise Refused(Code.INVALID_REQUEST, member=name)
    return text
