"""/v1/me/inbox: notices of each access and of everything else that concerns me, made from the log."""

from dataclasses import asdict

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker.api import wire
from broker.names import Names
from broker.notices import Page, mark_seen, notices_of, unread
from broker.own_entries import own, read_before

router = APIRouter(prefix="/v1/me/inbox", tags=["citizens"])


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest notice that I have seen."""

    index: int


@router.get("")
async def read(request: Request) -> Response:
    """The newest first, each with the index of its entry; `next`, where there is one, is the next page's `?before=`."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    before = request.query_params.get("before", "")

    def work(connection: Connection) -> tuple[Page, int]:
        names = Names.read(connection, broker.catalogue, english=wire.reads_english(request))
        cursor = read_before(connection, session.subject_ref, before)
        return notices_of(connection, names, session.subject_ref, cursor), unread(connection, session.subject_ref)

    found, number = await broker.storage.read(work)
    following = {} if found.following is None else {"next": found.following}
    return wire.reply({"notices": [asdict(one) for one in found.notices], "unread": number} | following)


@router.post("/seen")
async def see(request: Request) -> Response:
    """Everything up to this one is no longer new. 204."""
    session = await wire.changing(request)
    given = await wire.read_members(request, Seen)
    storage = wire.broker_of(request).storage
    index = await storage.read(lambda connection: own(connection, session.subject_ref, given.index))
    await storage.record(lambda transaction: mark_seen(transaction, session.subject_ref, index))
    return Response(status_code=204, headers=wire.NO_STORE)
