"""/me/accesses and /me/receipts/{index}: who looked at my data, each call in a sentence and with its proof."""

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.proofs import receipts
from broker.accesses import access_of, accesses_of
from broker.api import wire
from broker.exchange import receipt_members
from broker.own_entries import own, read_before, read_index
from broker.pages.citizens import CitizenRoute
from broker.pages.my_ratings import rating_of
from broker.pages.rendering import names_of, page_of_forms
from broker.told_calls import ToldCall, told_call

ON_A_PAGE: Final = 20

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.get("/accesses")
async def read_accesses(request: Request) -> Response:
    """Who looked at my data, newest first, page by page."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    before = request.query_params.get("before", "")

    def work(connection: Connection) -> tuple[list[ToldCall], int | None]:
        cursor = read_before(connection, session.subject_ref, before)
        found = accesses_of(connection, session.subject_ref, cursor, ON_A_PAGE)
        names = names_of(request, connection, broker.catalogue)
        return [told_call(names, one, broker.now()) for one in found.accesses], found.following

    calls, following = await broker.storage.read(work)
    return page_of_forms("accesses.html", request, calls=calls, following=following, later=bool(before))


@router.get("/accesses/{index}")
async def read_access(request: Request, index: str) -> Response:
    """One call, as a notice or a question leads to it."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)

    def work(connection: Connection) -> tuple[ToldCall, str]:
        access = access_of(connection, session.subject_ref, read_index(index))
        told = told_call(names_of(request, connection, broker.catalogue), access, broker.now())
        return told, rating_of(connection, session.subject_ref, access)

    call, rating = await broker.storage.read(work)
    return page_of_forms("access.html", request, call=call, rating=rating)


@router.get("/receipts/{index}")
async def read_receipt(request: Request, index: str) -> Response:
    """A file that anybody can verify: an entry that concerns me, and the proof that it is in the log."""
    session = await wire.signed_in(request)

    def work(connection: Connection) -> dict[str, str]:
        mine = own(connection, session.subject_ref, read_index(index))
        return receipt_members(receipts(connection, [mine])[mine])

    members = await wire.broker_of(request).storage.read(work)
    headers = wire.NO_STORE | {"Content-Disposition": f'attachment; filename="receipt-{index}.json"'}
    return Response(msgspec.json.encode(members), 200, headers, "application/json")
