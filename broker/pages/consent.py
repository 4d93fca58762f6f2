"""/a/{ticket}, where a request's link leads, and /me/requests/{ticket}, the same by its id: my signature, or my no.

A bundle is one page with a part for each recipient; each part is signed by itself, and what is left out is a no.
Who acts for somebody sees the same page, and for whom; whose data it is sees what is to be signed for her, and may say
no; the second person of an assisted authorization confirms being there.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker.api import wire
from broker.api.my_requests import decline_offer, reopen_offer, witness_offer
from broker.login import Session
from broker.offers import mine, open_address
from broker.pages.citizens import CitizenRoute, page_of, see
from broker.pages.rendering import Language, language_of, page_of_forms
from broker.wiring import Broker
from consent import asking, subjects
from consent.asking import Role
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused
from policies.vocabulary import Field, FieldKind, Organisation, Parameter

router = APIRouter(tags=["citizens"], route_class=CitizenRoute)

DAY = 24 * 3600


@router.get("/a/{ticket}")
@router.get("/me/requests/{ticket}")
async def ask(request: Request, ticket: str) -> Response:
    """The offer, or what became of it. Showing it is recorded, as the API's own reading is."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    lang = language_of(request)
    recorded = await broker.storage.record(lambda transaction: open_address(transaction, broker, session, ticket, lang))
    offer = recorded.value
    page = page_of(request.scope["path"])
    if "bundle" in offer:
        return await _ask_bundle(request, session, offer)
    if offer["status"] not in (asking.PENDING, asking.OPENED):
        return page_of_forms("decided.html", request, offer=offer, page=page)
    lines = [_line(broker.catalogue, one, lang) for one in offer["items"]]
    if offer["role"] != Role.SIGNER:
        return page_of_forms("beside.html", request, offer=offer, lines=lines, page=page, days=_days(offer))
    return await _signing_page(request, session, [(ticket, offer)])


async def _ask_bundle(request: Request, session: Session, bundle: dict[str, Any]) -> Response:
    """What still waits for my word; once nothing does, how far it all is."""
    waiting = [part for part in bundle["parts"] if part["status"] in (asking.PENDING, asking.OPENED)]
    if not waiting:
        return see(request, f"/me/bundles/{bundle['id']}")
    return await _signing_page(request, session, [(part["id"], part) for part in waiting], bundle)


async def _signing_page(
    request: Request,
    session: Session,
    offers: Sequence[tuple[str, dict[str, Any]]],
    bundle: dict[str, Any] | None = None,
) -> Response:
    """`offers`: each under the address by which it is signed."""
    broker = wire.broker_of(request)
    lang = language_of(request)

    def work(connection: Connection) -> list[dict[str, Any]]:
        return [_part(connection, broker, session, address, offer, lang) for address, offer in offers]

    return page_of_forms(
        "consent.html",
        request,
        page=page_of(request.scope["path"]),
        parts=await broker.storage.read(work),
        bundle=bundle,
        lead=bundle or offers[0][1],
        devices={"issuer": broker.settings.issuer, "now": broker.now()},
    )


def _part(
    connection: Connection, broker: Broker, session: Session, address: str, offer: dict[str, Any], lang: Language
) -> dict[str, Any]:
    lines = [_line(broker.catalogue, one, lang) for one in offer["items"]]
    return {
        "address": address,
        "offer": offer,
        "lines": lines,
        "signing": _signing(address, offer, lines),
        "days": _days(offer),
        "subject": _subject(connection, broker, session, address),
    }


@router.post("/a/{ticket}/decline")
@router.post("/me/requests/{ticket}/decline")
async def decline(request: Request, ticket: str) -> Response:
    """A clear no; whoever says it twice is shown what already is."""
    return await _done(request, ticket, decline_offer)


@router.post("/a/{ticket}/reopen")
@router.post("/me/requests/{ticket}/reopen")
async def reopen(request: Request, ticket: str) -> Response:
    """To look again at what I said no to."""
    return await _done(request, ticket, reopen_offer)


@router.post("/a/{ticket}/witness")
@router.post("/me/requests/{ticket}/witness")
async def witness(request: Request, ticket: str) -> Response:
    """I am the second person, and she is here."""
    return await _done(request, ticket, witness_offer)


async def _done(request: Request, ticket: str, work: Callable[[Transaction, Broker, Session, str], None]) -> Response:
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    try:
        await broker.storage.record(lambda transaction: work(transaction, broker, session, ticket))
    except Refused as error:
        if error.refusal.code is not Code.ALREADY_DECIDED:
            raise
    return see(request, page_of(request.scope["path"]))


def _days(offer: dict[str, Any]) -> int:
    return int(max(1, offer["valid_for"] // DAY))


def _subject(connection: Connection, broker: Broker, session: Session, ticket: str) -> str:
    """For whom I act, of a person the first letter of the name; empty where I sign for myself."""
    asked, _ = mine(connection, broker, session, ticket)
    if asked.actor_ref is None or asked.subject_ref is None:
        return ""
    subject = subjects.read_subjects(connection, broker.keys.subjects, [asked.subject_ref]).get(asked.subject_ref)
    if subject is None or isinstance(subject, Organisation):
        return subject.name if subject is not None else ""
    return f"{subject.name[:1]}{'*' * (len(subject.name) - 1)}"


def _line(catalogue: Catalogue, offered: dict[str, Any], lang: Language) -> dict[str, Any]:
    """An item as the page shows it: its fields apart by what needs an agreement of its own."""
    item = catalogue.items[offered["item"]]
    given = offered["params"]
    fields = [field | {"example": _example(item.fields[field["field"]], lang)} for field in offered["fields"]]
    claims = {name: item.fields[name].codes.get(str(value), value) for name, value in offered["expect"].items()}
    return offered | {
        "plain": [field for field in fields if not field["sensitive"]],
        "delicate": [field for field in fields if field["sensitive"]],
        "claims": claims,
        "limits": [(name, _name(item.parameters[name], lang), value) for name, value in given.items()],
    }


def _name(parameter: Parameter, lang: Language) -> str:
    return parameter.name_zh if lang is Language.CHINESE else parameter.name_en


def _example(field: Field, lang: Language) -> str:
    """As a person would write it: a code by its meaning, which is known in Chinese only, money in yuan."""
    if field.kind is FieldKind.CODE:
        return field.codes.get(field.example, "") if lang is Language.CHINESE else ""
    if field.kind is FieldKind.FLAG:
        words = ("是", "yes") if field.example == "true" else ("否", "no")
        return words[lang is Language.ENGLISH]
    if field.kind is FieldKind.MONEY and field.example.isdecimal():
        yuan = f"{int(field.example) / 100:,.2f}"
        return f"{yuan} 元" if lang is Language.CHINESE else f"{yuan} yuan"
    return field.example


def _signing(address: str, offer: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What the page's script holds a payload against before the device signs it."""
    return {
        "address": address,
        "id": offer["id"],
        "requester": offer["requester"]["id"],
        "recipient": offer["requester"]["name"],
        "matter": offer["matter"]["id"],
        "case": offer["case"],
        "uses": offer["uses"],
        "notice": offer["notice"],
        "names": _names(lines),
    }


def _names(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The names by which the page tells what the device is about to sign."""
    return {
        one["item"]: {
            "name": one["name"],
            "department": one["department_name"],
            "fields": {field["field"]: field["name"] for field in one["fields"]},
            "params": {parameter: name for parameter, name, _ in one["limits"]},
            "meanings": {name: {str(one["expect"][name]): claim} for name, claim in one["claims"].items()},
        }
        for one in lines
    }
