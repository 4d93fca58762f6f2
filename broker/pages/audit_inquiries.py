"""/audit/inquiries: what people ask the auditors, those due first at the head; and what departments have to correct.

What a person wrote is sealed under her own key: reading one is recorded under her before it is shown.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from audit.batch import Transaction
from broker.api import wire
from broker.auditing.looking import look, note
from broker.deadlines import is_over
from broker.inquiring import members as inquiry_members
from broker.inquiring import read_text
from broker.names import Names
from broker.own_entries import entries
from broker.pages.rendering import names_of, query_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.staff.roles import Role
from consent import inquiries
from consent.inquiries import Inquiry, Kind
from policies.refusals import Code, Refused

router = APIRouter(prefix="/audit/inquiries", tags=["auditors"], route_class=for_roles(Role.AUDITOR))

AT_MOST: Final = 500


@router.get("")
async def read_all(request: Request) -> Response:
    """The open ones of both kinds, by the day on which they are due; nothing of what they say."""
    broker, me = wire.broker_of(request), staff_of(request).member

    def work(connection: Connection) -> tuple[list[Inquiry], dict[str, int], Names]:
        found = [one for kind in Kind for one in inquiries.waiting(connection, kind, AT_MOST)]
        counts = {str(kind): inquiries.count_waiting(connection, kind) for kind in Kind}
        return found, counts, names_of(request, connection, broker.catalogue)

    found, counts, names = await broker.storage.read(work)
    rows = [_outside(one, broker.now()) for one in sorted(found, key=lambda one: (one.due_on, one.number))]
    await look(broker.storage, me, "inquiries", entries=len(rows))
    return view(request, "audit_inquiries.html", {"open": counts, "inquiries": rows}, rows, staff=me, names=names)


@router.get("/{number}")
async def read_one(request: Request, number: str) -> Response:
    """One, with its text and answer."""
    return await _one(request, number)


@router.post("/{number}")
async def answer(request: Request, number: str) -> Response:
    """`text`: the auditors' answer to a question, once and for good. A correction is the department's to answer."""
    broker, me = wire.broker_of(request), staff_of(request).member
    text = (await wire.read_fields(request)).get("text", "")

    def work(transaction: Transaction) -> None:
        plain = read_text(text, inquiries.ANSWER_LIMIT)
        found = inquiries.find(transaction.connection, number)
        if found.asking.kind is not Kind.QUESTION:
            raise Refused(Code.FORBIDDEN)
        inquiries.answer(transaction, broker.keys.subjects, number, plain)
        note(transaction, me, "answer", filters={"number": number}, people=[found.asking.subject_ref])

    try:
        await broker.storage.record(work)
    except Refused as error:
        if error.refusal.code is not Code.INVALID_REQUEST:
            raise
        return await _one(request, number, refused=text)
    return RedirectResponse(f"/audit/inquiries/{number}{query_of(request)}", 303, wire.NO_STORE)


async def _one(request: Request, number: str, refused: str | None = None) -> Response:
    """With `refused`, what was wrong stands beside it: nobody has to write it again."""
    broker, me = wire.broker_of(request), staff_of(request).member

    def work(connection: Connection) -> tuple[Inquiry, Mapping[str, Any], Mapping[str, Any], Names]:
        found = inquiries.find(connection, number)
        told = inquiry_members(connection, broker.keys.subjects, found, broker.now())
        about = entries(connection, [found.asking.about]).get(found.asking.about, {})
        return found, told, about, names_of(request, connection, broker.catalogue)

    found, told, about, names = await broker.storage.read(work)
    await look(broker.storage, me, "inquiry", filters={"number": number}, entries=1, people=[found.asking.subject_ref])
    values = {"names": names, "about": about, "draft": refused or "", "mistake": refused is not None}
    values |= {"limit": inquiries.ANSWER_LIMIT, "answerable": _answerable(found)}
    response = view(request, "audit_inquiry.html", {"inquiry": told}, [told], staff=me, **values)
    response.status_code = 200 if refused is None else 422
    return response


def _answerable(one: Inquiry) -> bool:
    return one.asking.kind is Kind.QUESTION and one.status == inquiries.OPEN


def _outside(one: Inquiry, now: float) -> dict[str, Any]:
    asked = one.asking
    return {
        "number": one.number,
        "kind": str(asked.kind),
        "due_on": one.due_on,
        "overdue": is_over(one.due_on, now),
        "about": asked.about,
        "requester": asked.requester,
        "department": asked.department,
        "item": asked.item,
    }
