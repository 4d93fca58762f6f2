"""After the decision: what the person thought of it. The receipt to print is the finished case's own page."""

from starlette.requests import Request
from starlette.responses import Response

from broker.desk import ratings
from broker.desk.refusals import Refused, Why
from broker.desk.rendering import see
from broker.desk.visits import changing


async def rate(request: Request) -> Response:
    visit, form = await changing(request)
    case, given = await visit.case(), form.one("rating")
    if not given.isascii() or not given.isdigit() or len(given) > 1:
        raise Refused(Why.INVALID, "rating")
    rating = int(given)
    await visit.desk.store.run(lambda connection: ratings.rate(connection, case, rating, visit.desk.now()))
    return see(request, f"/cases/{case.number}")
