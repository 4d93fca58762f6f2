"""/a/{ticket}: where a request's link leads. What is asked, my choice, my signature; or my no."""

from typing import Any

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.api.my_requests import decline_offer, open_offer
from broker.pages.citizens import CitizenRoute, see
from broker.pages.rendering import Language, language_of, page_of_forms
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused
from policies.vocabulary import Field, FieldKind, Parameter

router = APIRouter(prefix="/a/{ticket}", tags=["citizens"], route_class=CitizenRoute)

DAY = 24 * 3600


@router.get("")
async def ask(request: Request, ticket: str) -> Response:
    """The offer, or what became of it. Showing it is recorded, as the API's own reading is."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    lang = language_of(request)
    recorded = await broker.storage.record(lambda transaction: open_offer(transaction, broker, session, ticket, lang))
    offer = recorded.value
    if offer["status"] != "opened":
        return page_of_forms("decided.html", request, offer=offer)
    lines = [_line(broker.catalogue, one, lang) for one in offer["items"]]
    devices = {"issuer": broker.settings.issuer, "now": broker.now()}
    return page_of_forms(
        "consent.html",
        request,
        ticket=ticket,
        offer=offer,
        lines=lines,
        days=max(1, offer["valid_for"] // DAY),
        devices=devices,
        names=_names(lines),
    )


@router.post("/decline")
async def decline(request: Request, ticket: str) -> Response:
    """A clear no; whoever says it twice is shown what already is."""
    session = await wire.changing(request)
    broker = wire.broker_of(request)
    try:
        await broker.storage.record(lambda transaction: decline_offer(transaction, broker, session, ticket))
    except Refused as error:
        if error.refusal.code is not Code.ALREADY_DECIDED:
            raise
    return see(request, f"/a/{ticket}")


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
    """As a person would write it: a code by its meaning, which is known in Chinese only, and money in yuan."""
    if field.kind is FieldKind.CODE:
        return field.codes.get(field.example, "") if lang is Language.CHINESE else ""
    if field.kind is FieldKind.MONEY and field.example.isdecimal():
        yuan = f"{int(field.example) / 100:,.2f}"
        return f"{yuan} 元" if lang is Language.CHINESE else f"{yuan} yuan"
    return field.example


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
