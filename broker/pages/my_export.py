"""/me/export: taking everything about me away, as a plain form."""

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.api.my_export import copy_of
from broker.pages.citizens import CitizenRoute
from broker.pages.rendering import Language, language_of, page_of_forms
from broker.sheets import can_print

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.get("/export")
async def read(request: Request) -> Response:
    """What can be had, and what is in it."""
    await wire.signed_in(request)
    return page_of_forms("export.html", request, can_print=can_print())


@router.post("/export")
async def take(request: Request) -> Response:
    """The file; a form's answer, so that no link of another site can have it made."""
    session = await wire.changing(request)
    fields = await wire.read_fields(request)
    english = language_of(request) is Language.ENGLISH
    return await copy_of(request, session, fields.get("form", ""), english=english)
