"""/me/bundles/{id}: how far each part of what I do at once is, and which part could not be had and why."""

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.pages.citizens import CitizenRoute
from broker.pages.rendering import Language, language_of, page_of_forms
from broker.progress import my_bundle

router = APIRouter(prefix="/me", tags=["citizens"], route_class=CitizenRoute)


@router.get("/bundles/{id}")
async def read(request: Request, id: str) -> Response:  # noqa: A002 - the protocol's name
    """Every part by its recipient, with the newest answer of each item."""
    session = await wire.signed_in(request)
    broker = wire.broker_of(request)
    english = language_of(request) is Language.ENGLISH
    found = await broker.storage.read(lambda connection: my_bundle(connection, broker, session, id, english=english))
    return page_of_forms("bundle.html", request, bundle=found)
