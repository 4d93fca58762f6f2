"""/me/accesses and /me/receipts/{index}: who looked at my data, each call in a sentence and with its proof."""

from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.proofs import receipts
from audit.search import Cursor, Wanted, newest
from broker import requesters
from broker.accesses import accesses_of
from broker.api import wire
from broker.exchange import receipt_members
from broker.pages.citizens import CitizenRoute
from broker.pages.rendering import page_of_forms
from policies.refusals import Code, Refused

LARGEST: Final = 1 << 62
"""An index that the database can compare."""

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.get("/accesses")
async def read_accesses(request: Request) -> Response:
    """Who looked at my data, newest first."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)

    def work(connection: Connection) -> list[dict[str, Any]]:
        names = {one.id: one for one in requesters.read_all(connection)}
        mine = accesses_of(connection, session.subject_ref)
        return [one | {"requester": names[one["requester"]]} for one in mine]

    accesses = await broker.storage.read(work)
    return page_of_forms("accesses.html", request, accesses=accesses, catalogue=broker.catalogue)


@router.get("/receipts/{index}")
async def read_receipt(request: Request, index: int) -> Response:
    """A file that anybody can verify: an entry that concerns me, and the proof that it is in the log."""
    session = await wire.signed_in(request)

    def work(connection: Connection) -> dict[str, str]:
        mine = Wanted(subject_ref=session.subject_ref)
        if not 0 <= index < LARGEST or list(newest(connection, mine, 1, Cursor(index + 1))) != [index]:
            raise Refused(Code.NOT_FOUND)
        return receipt_members(receipts(connection, [index])[index])

    members = await wire.broker_of(request).storage.read(work)
    headers = wire.NO_STORE | {"Content-Disposition": f'attachment; filename="receipt-{index}.json"'}
    return Response(msgspec.json.encode(members), 200, headers, "application/json")
