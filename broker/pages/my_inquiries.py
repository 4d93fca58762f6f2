"""/me/questions: what I asked and was answered; the forms for a question about an entry and for a correction."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker.api import wire
from broker.inquiring import asking, members, open_one
from broker.names import Names
from broker.notices import tell
from broker.own_entries import entries, own_entry, read_index
from broker.pages.citizens import CitizenRoute, see
from broker.pages.rendering import names_of, page_of_forms
from consent.inquiries import TEXT_LIMIT, inquiries_of
from policies.refusals import Code, Refused

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)

LIST: Final = "/me/questions"


@router.get("/questions")
async def read(request: Request) -> Response:
    """My questions and corrections, newest first, each with its answer or the day by which it is due."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)

    def work(connection: Connection) -> list[dict[str, Any]]:
        names = names_of(request, connection, broker.catalogue)
        mine = inquiries_of(connection, session.subject_ref)
        about = entries(connection, [one.asking.about for one in mine])
        return [
            dict(members(connection, broker.keys.subjects, one, broker.now()))
            | _told(names, about[one.asking.about], session.subject_ref, one.asking.item)
            for one in mine
        ]

    return page_of_forms("questions.html", request, inquiries=await broker.storage.read(work))


@router.get("/questions/ask/{index}")
async def read_form(request: Request, index: str) -> Response:
    """The form for a question about one entry."""
    return await _form(request, index)


@router.post("/questions/ask/{index}")
async def ask(request: Request, index: str) -> Response:
    """Ask; then the list, where the new one stands."""
    return await _open(request, index)


@router.get("/corrections/ask/{index}/{item}")
async def read_correction_form(request: Request, index: str, item: str) -> Response:
    """The form for a correction of one item."""
    return await _form(request, index, item)


@router.post("/corrections/ask/{index}/{item}")
async def correct(request: Request, index: str, item: str) -> Response:
    return await _open(request, index, item)


async def _open(request: Request, index: str, item: str | None = None) -> Response:
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    text = (await wire.read_fields(request)).get("text", "")

    def work(transaction: Transaction) -> str:
        return open_one(transaction, broker, session.subject_ref, read_index(index), text, item).number

    try:
        number = (await broker.storage.record(work)).value
    except Refused as error:
        if error.refusal.code is not Code.INVALID_REQUEST:
            raise
        return await _form(request, index, item, refused=text)
    return see(request, LIST, number)


async def _form(request: Request, index: str, item: str | None = None, refused: str | None = None) -> Response:
    """With `refused`, what was wrong stands beside it: nobody has to write it again."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)

    def work(connection: Connection) -> dict[str, Any]:
        about = asking(connection, session.subject_ref, read_index(index), item).about
        entry = own_entry(connection, session.subject_ref, about)
        return _told(names_of(request, connection, broker.catalogue), entry, session.subject_ref, item or "")

    told = await broker.storage.read(work)
    deadlines = broker.settings.deadlines
    due_on = deadlines.question(broker.now()) if item is None else deadlines.correction(broker.now())
    return page_of_forms(
        "ask.html",
        request,
        status=200 if refused is None else 422,
        told=told,
        due_on=due_on,
        text=refused or "",
        mistake=refused is not None,
        limit=TEXT_LIMIT,
    )


def _told(names: Names, entry: Mapping[str, Any], subject_ref: str, item: str) -> dict[str, Any]:
    results = [one for one in entry["body"].get("results", []) if one["item"] == item]
    return {
        "time": entry["time"],
        "entry": entry["index"],
        "sentence": tell(names, entry, subject_ref),
        "is_call": entry["event"].startswith("exchange.") and "decision" not in entry["body"],
        "item_name": names.item(item) if item else "",
        "department_name": names.department(results[0]["department"]) if results else "",
    }
