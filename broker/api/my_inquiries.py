"""/v1/me/questions and /v1/me/corrections: what I ask about an entry that concerns me, and what I was answered."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker.api import wire
from broker.inquiring import members, open_one
from broker.wiring import Broker
from consent.inquiries import Inquiry, Kind, inquiries_of

router = APIRouter(prefix="/v1/me", tags=["citizens"])


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Plain text about the log's entry `about`."""

    about: int
    text: str


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with an item of the release `about`."""

    about: int
    item: str
    text: str


@router.get("/questions")
async def read_questions(request: Request) -> Response:
    """My questions to the auditors, newest first, with their answers."""
    return wire.reply({"questions": await _read(request, Kind.QUESTION)})


@router.post("/questions")
async def ask(request: Request) -> Response:
    """Ask. 201 with its number, the day it is due and a receipt; 200 where just this is asked and still open."""
    given = await wire.read_members(request, Question)
    return await _open(request, given.about, given.text, None)


@router.get("/corrections")
async def read_corrections(request: Request) -> Response:
    """My corrections to departments, newest first, with their answers."""
    return wire.reply({"corrections": await _read(request, Kind.CORRECTION)})


@router.post("/corrections")
async def correct(request: Request) -> Response:
    """Say that an item is wrong. Answered like a question."""
    given = await wire.read_members(request, Correction)
    return await _open(request, given.about, given.text, given.item)


async def _read(request: Request, kind: Kind) -> list[Any]:
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)

    def work(connection: Connection) -> list[Any]:
        mine = [one for one in inquiries_of(connection, session.subject_ref) if one.asking.kind is kind]
        return [_members(connection, broker, one) for one in mine]

    return await broker.storage.read(work)


async def _open(request: Request, about: int, text: str, item: str | None) -> Response:
    session = await wire.changing(request)
    broker = wire.broker_of(request)

    def work(transaction: Transaction) -> dict[str, Any]:
        opened = open_one(transaction, broker, session.subject_ref, about, text, item)
        return _members(transaction.connection, broker, opened)

    recorded = await broker.storage.record(work)
    if not recorded.entries:
        return wire.reply(recorded.value)
    return wire.reply(recorded.value | {"receipt": wire.receipts(recorded)}, 201)


def _members(connection: Connection, broker: Broker, one: Inquiry) -> dict[str, Any]:
    return dict(members(connection, broker.keys.subjects, one, broker.now()))
