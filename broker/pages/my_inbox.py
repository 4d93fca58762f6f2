"""/me/inbox: notices of each access and of everything else that concerns me."""

import contextlib

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.errors import LedgerUnavailable
from broker.api import wire
from broker.login import Session
from broker.notices import Page, mark_seen, notices_of
from broker.own_entries import read_before
from broker.pages.citizens import CitizenRoute
from broker.pages.rendering import names_of, page_of_forms

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.get("/inbox")
async def read(request: Request) -> Response:
    """The newest first. What is shown here has been seen: the next page that she opens does not count it."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    before = request.query_params.get("before", "")

    def work(connection: Connection) -> Page:
        cursor = read_before(connection, session.subject_ref, before)
        return notices_of(connection, names_of(request, connection, broker.catalogue), session.subject_ref, cursor)

    found = await broker.storage.read(work)
    if not before and any(one.is_new for one in found.notices):
        await _see(request, session, found.notices[0].index)
    return page_of_forms("inbox.html", request, notices=found.notices, following=found.following, later=bool(before))


async def _see(request: Request, session: Session, index: int) -> None:
    with contextlib.suppress(LedgerUnavailable):  # they can be read all the same, and stay new
        storage = wire.broker_of(request).storage
        await storage.record(lambda transaction: mark_seen(transaction, session.subject_ref, index))
        request.state.unread = 0
