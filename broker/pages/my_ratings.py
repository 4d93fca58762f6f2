"""这次办得怎么样？ on the page of one call whose case was decided: five levels, one click, once."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker import improvement
from broker.accesses import access_of
from broker.api import wire
from broker.improvement import Decision, Level, Reason
from broker.own_entries import read_index
from broker.pages.citizens import CitizenRoute, see
from broker.told_calls import DECISIONS
from policies.refusals import Code, Refused

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.post("/accesses/{index}/rating")
async def rate(request: Request, index: str) -> Response:
    """Take the rating; a low one becomes a task of the office that decided."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    storage, calendar = broker.storage, broker.settings.workdays
    fields = await wire.read_fields(request)
    access = await storage.read(lambda connection: access_of(connection, session.subject_ref, read_index(index)))
    decision, said = decision_of(access), _read(fields)
    if decision is None:
        raise Refused(Code.NOT_FOUND)
    await storage.record(
        lambda transaction: improvement.rate(transaction, session.subject_ref, decision, said, calendar)
    )
    return see(request, f"/me/accesses/{index}", "rating")


def decision_of(access: Mapping[str, Any]) -> Decision | None:
    """What a call's case came to, where its requester told it."""
    told = any(one["decision"] in DECISIONS for one in access["afterwards"])
    return Decision(access["requester"], access["case"], access["matter"]) if told else None


def rating_of(connection: Connection, subject_ref: str, access: Mapping[str, Any]) -> str:
    """`open` where she may rate, `done` where she has; empty where nothing is decided."""
    decision = decision_of(access)
    if decision is None:
        return ""
    return "done" if improvement.is_rated(connection, subject_ref, decision) else "open"


def _read(fields: Mapping[str, str]) -> tuple[Level, Reason]:
    try:
        return Level(int(fields.get("level", ""))), Reason(fields.get("reason", "none"))
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member="level") from error
