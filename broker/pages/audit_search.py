"""/audit/search: entries by who, what and when, the newest first. Whom one looks for never stands in an address."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from audit.search import search
from broker.api import wire
from broker.auditing.filters import NAMES, Filters, mark, read_filters
from broker.auditing.hits import hit_members, hit_row
from broker.auditing.looking import look, read_reason
from broker.auditing.sought import Sought, find_blindly, recall, remember
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import form_of, view
from broker.staff.roles import Role
from policies.refusals import Code, Refused

router = APIRouter(prefix="/audit/search", tags=["auditors"], route_class=for_roles(Role.AUDITOR))

NOBODY = Sought("", "")


@router.get("")
async def find(request: Request) -> Response:
    """`?requester= operator= desk= matter= case= item= event= month= from= until= who= cursor= limit=`."""
    broker, session = wire.broker_of(request), staff_of(request)
    filters = read_filters(request.query_params, broker.keys.subjects)
    asked = bool(set(request.query_params) - {"lang"}) or form_of(request) != "page"

    def work(connection: Connection) -> tuple[Sought, dict[str, Any], dict[str, Any]]:
        who = recall(connection, session, filters.given["who"]) if "who" in filters.given else NOBODY
        names = names_of(request, connection, broker.catalogue)
        found = _found(connection, filters, who) if asked else {"entries": [], "next": None}
        if found["next"] is not None:
            found["next"] = mark(broker.keys.subjects, filters.given, found["next"])
        return who, found, {"names": names, "requesters": sorted(names.requesters)}

    who, found, values = await broker.storage.read(work)
    people = [who.subject_ref] if who.subject_ref else []
    if asked:
        number = len(found["entries"])
        await look(
            broker.storage,
            session.member,
            "search",
            filters=filters.recorded(),
            entries=number,
            reason=who.reason,
            people=people,
        )
    members = {"filters": dict(filters.given), **found}
    rows = [hit_row(one) for one in found["entries"]]
    return view(
        request, "audit_search.html", members, rows, staff=session.member, asked=asked, reason=who.reason, **values
    )


@router.post("")
async def find_person(request: Request) -> Response:
    """`id_number` or `uscc`, and `reason`: to a search whose address says neither."""
    broker, session = wire.broker_of(request), staff_of(request)
    fields = await wire.read_fields(request)
    reason = read_reason(fields.get("reason", ""))
    numbers = fields.get("id_number", "").strip(), fields.get("uscc", "").strip()
    others = {name: fields[name] for name in NAMES if name != "who" and fields.get(name)}
    read_filters(others, broker.keys.subjects)
    try:
        subject_ref = await broker.storage.read(
            lambda connection: find_blindly(connection, broker.keys.subjects, *numbers)
        )
    except Refused as error:
        if error.refusal.code is Code.NOT_FOUND:
            await look(broker.storage, session.member, "search", filters={"person": "unknown"}, reason=reason)
        raise
    sought = Sought(subject_ref, reason)
    who = (await broker.storage.record(lambda transaction: remember(transaction, session, sought))).value
    lang = request.query_params.get("lang", "")
    query = urlencode(others | {"who": who} | ({"lang": lang} if lang == "en" else {}))
    return RedirectResponse(f"/audit/search?{query}", 303, wire.NO_STORE)


def _found(connection: Connection, filters: Filters, who: Sought) -> dict[str, Any]:
    page = search(connection, filters.wanted(who.subject_ref), limit=filters.limit, cursor=filters.cursor)
    return {"entries": [hit_members(hit) for hit in page.hits], "next": page.following}
