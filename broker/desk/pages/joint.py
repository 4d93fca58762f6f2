"""Between two centres: hand over, ask for more, supply, return, and taking in what the other centre sent."""

from starlette.requests import Request
from starlette.responses import Response

from broker.desk import handovers
from broker.desk.rendering import page, see
from broker.desk.visits import changing, signed_in


async def hand_over(request: Request) -> Response:
    visit, form = await changing(request)
    case = await visit.case()
    await handovers.hand_over(visit.desk, visit.session, case, form.one("partner"), form.one("note"))
    return see(request, f"/cases/{case.number}")


async def more(request: Request) -> Response:
    visit, form = await changing(request)
    case = await visit.case()
    await handovers.ask_for_more(visit.desk, visit.session, case, form.one("note"))
    return see(request, f"/cases/{case.number}")


async def supply(request: Request) -> Response:
    visit, form = await changing(request)
    case = await visit.case()
    await handovers.supply(visit.desk, visit.session, case, form.one("note"))
    return see(request, f"/cases/{case.number}")


async def download(request: Request) -> Response:
    """The parcel as a file for the other centre: closed, so it may go any way."""
    visit = await signed_in(request)
    case = await visit.case()
    parcel: str = request.path_params["parcel"]
    text = await handovers.text_of(visit.desk, case, parcel)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{case.number}.parcel"'}
    return Response(text, 200, headers, media_type="application/jose")


async def ask_for_parcel(request: Request) -> Response:
    visit = await signed_in(request)
    return page(request, "parcel.html", visit=visit)


async def take_in(request: Request) -> Response:
    visit, form = await changing(request)
    number = await handovers.take_in(visit.desk, visit.session, form.one("parcel"))
    return see(request, f"/cases/{number}")
