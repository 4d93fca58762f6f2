"""One request of a clerk's browser: her session, her language, and what she sent, read strictly."""

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from broker.desk import sessions
from broker.desk.cases import Case, find
from broker.desk.refusals import Refused, Why
from broker.desk.sessions import Session
from broker.desk.wiring import Desk

FORM_LIMIT: Final = 96 * 1024
"""Bytes; a parcel of another centre is the longest."""
FIELDS_LIMIT: Final = 120
RECEIVE_WITHIN: Final = 10.0
ENGLISH: Final = "en"


@dataclass(frozen=True, slots=True)
class Form:
    """A form's fields. What stands twice is a list; nothing is taken for anything else."""

    pairs: tuple[tuple[str, str], ...]

    def one(self, name: str) -> str:
        """The one value, stripped; empty where there is none. Raises Refused(invalid_request) where there are two."""
        found = self.all(name)
        if len(found) > 1:
            raise Refused(Why.INVALID, name)
        return found[0].strip() if found else ""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    desk: Desk
    session: Session

    @property
    def english(self) -> bool:
        return reads_english(self.request)

    async def case(self) -> Case:
        """The case that the address names. Raises Refused(not_found) where it is not hers."""
        number = self.request.path_params["number"]
        vault, clerk = self.desk.settings.vault, self.session.clerk
        return await self.desk.store.run(lambda connection: find(connection, vault, number, clerk))


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def reads_english(request: Request) -> bool:
    return request.query_params.get("lang") == ENGLISH


def query_of(request: Request) -> str:
    """What the addresses of other pages must carry on: the language."""
    return "?lang=en" if reads_english(request) else ""


def wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


async def signed_in(request: Request) -> Visit:
    """Raises Refused(not_signed_in | locked)."""
    visit = await at_window(request)
    if visit.session.locked:
        raise Refused(Why.LOCKED)
    desk, session = visit.desk, visit.session
    await desk.store.run(lambda connection: sessions.touch(connection, session, desk.now()))
    return visit


async def at_window(request: Request) -> Visit:
    """The session whether it is locked or not. Raises Refused(not_signed_in)."""
    desk = desk_of(request)
    secret, idle = request.cookies.get(cookie_name(desk), ""), desk.settings.idle
    session = await desk.store.run(lambda connection: sessions.find(connection, secret, desk.now(), idle))
    return Visit(request, desk, session)


async def changing(request: Request) -> tuple[Visit, Form]:
    """A call that changes something: from our own pages, of a clerk who is there. Raises Refused."""
    same_origin(request)
    visit = await signed_in(request)
    return visit, await read_form(request)


def same_origin(request: Request) -> None:
    """Raises Refused(forbidden) where a changing call does not come from this desk's own pages."""
    if request.headers.get("origin") != desk_of(request).settings.address:
        raise Refused(Why.FORBIDDEN)


def cookie_name(desk: Desk) -> str:
    return "__Host-desk_session" if desk.settings.secure else "desk_session"


async def read_form(request: Request) -> Form:
    """Raises Refused(invalid_request | too_large)."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != "application/x-www-form-urlencoded":
        raise Refused(Why.INVALID)
    try:
        text = (await _read(request)).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT) if text else []
    except ValueError:
        raise Refused(Why.INVALID) from None
    return Form(tuple(pairs))


async def _read(request: Request) -> bytes:
    received = bytearray()
    try:
        async with asyncio.timeout(RECEIVE_WITHIN):
            async for chunk in request.stream():
                received += chunk
                if len(received) > FORM_LIMIT:
                    raise Refused(Why.TOO_LARGE)
    except (TimeoutError, ClientDisconnect):
        raise Refused(Why.INVALID) from None
    return bytes(received)
