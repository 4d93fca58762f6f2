"""/steward/corrections: what people say is wrong in my department's data, by the day an answer is due; and the answer.

What a person wrote is shown for one correction at a time, and that it was read is in the log before it is.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker.api import wire
from broker.inquiring import members, read_text
from broker.names import Names
from broker.own_entries import entries
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.steward_desk import back_to, department_of, record_look, shown
from broker.staff.roles import Role
from consent import inquiries
from consent.inquiries import Inquiry, Kind
from policies.refusals import Code, Refused

router = APIRouter(prefix="/steward/corrections", tags=["staff"], route_class=for_roles(Role.STEWARD))

LISTED: Final = 200
_WITHOUT_WORDS: Final = (
    "number",
    "status",
    "item",
    "item_name",
    "requester",
    "name",
    "opened_at",
    "due_on",
    "overdue",
    "answered_at",
)


@router.get("")
async def read_corrections(request: Request) -> Response:
    """Those that wait, the first due at the head, then those answered; nothing of what anybody wrote."""
    broker, department = wire.broker_of(request), department_of(request)

    def work(connection: Connection) -> list[dict[str, Any]]:
        names = names_of(request, connection, broker.catalogue)
        waiting = inquiries.waiting(connection, Kind.CORRECTION, LISTED, department)
        answered = inquiries.answered_by_department(connection, department, LISTED)
        return [_outside(_told(connection, names, broker, one)) for one in [*waiting, *answered]]

    told = await broker.storage.read(work)
    listed = {"department": department, "corrections": told}
    return shown(request, "steward_corrections.html", listed, told)


@router.get("/{number}")
async def read_correction(request: Request, number: str) -> Response:
    """One, with what the person wrote and how the department finds the record."""
    broker, found = wire.broker_of(request), await _mine(request, number)
    look = {"number": found.number, "item": found.asking.item}
    await record_look(request, "correction", look, entries=1, subject_ref=found.asking.subject_ref)

    def work(connection: Connection) -> dict[str, Any]:
        names = names_of(request, connection, broker.catalogue)
        told = _told(connection, names, broker, found)
        return told | _about(connection, names, found)

    told = await broker.storage.read(work)
    return shown(
        request,
        "steward_correction.html",
        {"one": told},
        [told],
        limit=inquiries.ANSWER_LIMIT,
    )


@router.post("/{number}/answer")
async def answer(request: Request, number: str) -> Response:
    """Once and for good; the person reads it on her page and in her inbox."""
    broker, found, me = wire.broker_of(request), await _mine(request, number), staff_of(request).member
    text = read_text((await wire.read_fields(request)).get("text", ""), inquiries.ANSWER_LIMIT)

    def work(transaction: Transaction) -> None:
        inquiries.answer(transaction, broker.keys.subjects, found.number, text, me.number)

    await broker.storage.record(work)
    return back_to(request, f"/steward/corrections/{found.number}")


async def _mine(request: Request, number: str) -> Inquiry:
    """Raises Refused(not_found) for a question too; of another department forbidden, which is recorded."""
    found = await wire.broker_of(request).storage.read(lambda connection: inquiries.find(connection, number))
    if found.asking.kind is not Kind.CORRECTION or found.status == inquiries.ERASED:
        raise Refused(Code.NOT_FOUND)
    if found.asking.department != department_of(request):
        raise Refused(Code.FORBIDDEN)
    return found


def _told(connection: Connection, names: Names, broker: Any, one: Inquiry) -> dict[str, Any]:
    told = dict(members(connection, broker.keys.subjects, one, broker.now()))
    return told | {"item_name": names.item(one.asking.item), "name": names.requester(one.asking.requester)}


def _outside(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in _WITHOUT_WORDS}


def _about(connection: Connection, names: Names, one: Inquiry) -> dict[str, Any]:
    """The call it is about: the number under which the department was asked leads to its own record."""
    entry = entries(connection, [one.asking.about])[one.asking.about]
    body, mine = entry["body"], one.asking
    results = [
        result for result in body["results"] if (result["subject_ref"], result["item"]) == (mine.subject_ref, mine.item)
    ]
    return {
        "time": entry["time"],
        "case": body["case"],
        "matter": names.matter(body["matter"]),
        "outcome": results[0]["outcome"],
        "route": results[0]["route"],
        "call": body["call"],
        "department_request": results[0]["department_request"],
    }
