"""/staff: signing in and out, the page each role begins at, and who has which role."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from audit.batch import Transaction
from broker.api import wire
from broker.filing import FiledPerson, read_person
from broker.login import Assurance, Method
from broker.pages.rendering import query_of
from broker.pages.staff_gate import cookie_name, for_roles, refused_page, same_origin, set_cookie, staff_of
from broker.pages.twins import view
from broker.staff import people, sessions
from broker.staff.people import Member, NewMember
from broker.staff.roles import CHANGED_BY, Role
from broker.wiring import Broker
from policies.identifiers import read_identifier
from policies.refusals import Code, Refusal, Refused

outside = APIRouter(tags=["staff"])
"""For whoever is not signed in yet."""
everybody = APIRouter(prefix="/staff", tags=["staff"], route_class=for_roles(*Role))
keepers = APIRouter(prefix="/staff/people", tags=["staff"], route_class=for_roles(Role.SECURITY, Role.AUDITOR))


@outside.get("/staff/sign-in")
async def ask_to_sign_in(request: Request) -> Response:
    """The ways in."""
    return refused_page(request, Refusal(Code.NOT_SIGNED_IN))


@outside.post("/staff/session/test")
async def sign_in_by_number(request: Request) -> Response:
    """The test sign-in: whoever knows a staff number. Only where `identity: test` is on, which is on loopback only."""
    same_origin(request)
    broker = wire.broker_of(request)
    if not broker.settings.test_identity:
        raise Refused(Code.NOT_FOUND)
    number = (await wire.read_fields(request)).get("number", "")

    def work(transaction: Transaction) -> str:
        return sessions.begin(transaction, people.member(transaction.connection, number), Method.TEST, Assurance.HIGH)

    try:
        secret = (await broker.storage.record(work)).value
    except Refused as error:
        return refused_page(request, error.refusal)
    response = RedirectResponse("/staff" + query_of(request), 303, wire.NO_STORE)
    set_cookie(response, broker, secret)
    return response


@everybody.post("/sign-out")
async def sign_out(request: Request) -> Response:
    broker = wire.broker_of(request)
    session = staff_of(request)
    await broker.storage.record(lambda transaction: sessions.end(transaction, session))
    response = RedirectResponse("/staff/sign-in" + query_of(request), 303, wire.NO_STORE)
    response.delete_cookie(cookie_name(broker), path="/", secure=broker.settings.staff_secure, httponly=True)
    return response


@everybody.get("")
async def home(request: Request) -> Response:
    """What I am here, and where my pages are."""
    return view(request, "staff_home.html", {"me": _told(staff_of(request).member)}, staff=staff_of(request).member)


@keepers.get("")
async def read_people(request: Request) -> Response:
    """Who has which role, and what waits for a second person."""
    broker = wire.broker_of(request)
    found = await broker.storage.read(people.read_all)
    me = staff_of(request).member
    rows = [_told(one) for one in found]
    members = {"people": [row | {"to_confirm": _may_confirm(me, one)} for row, one in zip(rows, found, strict=True)]}
    proposes = [role for role, by in CHANGED_BY.items() if by.proposer is me.role]
    departments = broker.catalogue.departments.values()
    return view(request, "staff_people.html", members, rows, staff=me, proposes=proposes, departments=departments)


@keepers.post("")
async def propose(request: Request) -> Response:
    """Somebody is to have a role: number, name, id number, role, and of a steward the department."""
    broker, me = wire.broker_of(request), staff_of(request).member
    new = new_member(broker, await wire.read_fields(request))
    await broker.storage.record(lambda transaction: people.propose(transaction, broker.keys.subjects, new, me))
    return _back(request)


@keepers.post("/{number}/remove")
async def propose_removal(request: Request, number: str) -> Response:
    broker, me = wire.broker_of(request), staff_of(request).member
    await broker.storage.record(lambda transaction: people.propose_removal(transaction, number, me))
    return _back(request)


@keepers.post("/{number}/confirm")
async def confirm(request: Request, number: str) -> Response:
    """The second person's yes."""
    broker, me = wire.broker_of(request), staff_of(request).member
    await broker.storage.record(lambda transaction: people.confirm(transaction, number, me))
    return _back(request)


@keepers.post("/{number}/turn-down")
async def turn_down(request: Request, number: str) -> Response:
    """The second person's no."""
    broker, me = wire.broker_of(request), staff_of(request).member
    await broker.storage.record(lambda transaction: people.turn_down(transaction, number, me))
    return _back(request)


def new_member(broker: Broker, fields: dict[str, str]) -> NewMember:
    """Raises Refused(invalid_request) naming the member, never a value."""
    person = read_person(FiledPerson(fields.get("name", ""), fields.get("id_number", "")), member="person")
    try:
        number = read_identifier(fields.get("number", ""), range(2, 33))
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="number") from error
    role = next((role for role in Role if role == fields.get("role")), None)
    if role is None:
        raise Refused(Code.INVALID_REQUEST, member="role")
    department = fields.get("department", "") if role is Role.STEWARD else ""
    if role is Role.STEWARD and department not in broker.catalogue.departments:
        raise Refused(Code.INVALID_REQUEST, member="department")
    return NewMember(number, person, role, department)


def _may_confirm(me: Member, one: Member) -> bool:
    waits = one.status in (people.PROPOSED, people.LEAVING)
    return waits and me.role is CHANGED_BY[one.role].confirmer and me.number not in (one.proposed_by, one.number)


def _told(one: Member) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": one.name,
        "role": one.role,
        "department": one.department,
        "status": one.status,
        "proposed_by": one.proposed_by,
    }


def _back(request: Request) -> Response:
    return RedirectResponse("/staff/people" + query_of(request), 303, wire.NO_STORE)
