"""GET /v1/me/requests: what waits for my word, and what I said no to and may look at again."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker import requesters
from broker.api import wire
from broker.login import Session
from broker.moments import rfc3339
from broker.wiring import Broker
from consent import asking
from consent.asking import AuthorizationRequest

router = APIRouter(prefix="/v1/me/requests", tags=["citizens"])


@router.get("")
async def read(request: Request) -> Response:
    """Each under its id, which opens it for me as its link does; nothing of anybody else stands in it."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    return wire.reply(await broker.storage.read(lambda connection: my_requests(connection, broker, session)))


def my_requests(connection: Connection, broker: Broker, session: Session) -> dict[str, list[dict[str, Any]]]:
    names = {one.id: (one.name_zh, one.name_en) for one in requesters.read_all(connection)}

    def members(found: Sequence[AuthorizationRequest]) -> list[dict[str, Any]]:
        return [_members(asked, names[asked.requester], session) for asked in found]

    return {
        "waiting": members(asking.waiting_for(connection, session.subject_ref, broker.now())),
        "declined": members(asking.declined_by(connection, session.subject_ref)),
    }


def _members(asked: AuthorizationRequest, name: tuple[str, str], session: Session) -> dict[str, Any]:
    return {
        "id": asked.id,
        "status": asked.status,
        "requester": {"id": asked.requester, "name_zh": name[0], "name_en": name[1]},
        "matter": asked.matter,
        "case": asked.case,
        "party": asked.party,
        "mode": asked.mode,
        "mine": asked.subject_ref == session.subject_ref,
        "bundle": asked.bundle,
        "expires_at": rfc3339(asked.ticket_expires),
    }
