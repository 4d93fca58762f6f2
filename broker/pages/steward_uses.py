"""/steward/uses: who used my department's data for what, the calls behind each count, and a day at a glance."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.errors import SearchRefused
from audit.search import Cursor
from broker.api import wire
from broker.moments import day_of
from broker.names import Names
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles
from broker.pages.steward_desk import department_of, my_item, record_look, shown
from broker.staff.roles import Role
from broker.stewards import applications, calls, patterns, periods
from broker.stewards.calls import Page
from broker.stewards.items import items_of
from broker.stewards.uses import Use, use_members, uses_of, wanted
from broker.wiring import Broker
from consent import inquiries
from consent.inquiries import Kind
from policies.refusals import Code, Refused

router = APIRouter(prefix="/steward/uses", tags=["staff"], route_class=for_roles(Role.STEWARD))

_FILTERS: Final = ("requester", "matter", "item")
_OPEN_AT_MOST: Final = 500


@router.get("")
async def read_uses(request: Request) -> Response:
    """By requester, matter, item and month, with counts and what came of it; this month unless the address says."""
    broker, department = wire.broker_of(request), department_of(request)
    months = _months(request, broker)
    filters = {name: request.query_params.get(name, "") for name in _FILTERS}
    items = [item.id for item in items_of(broker.catalogue, department)]

    def work(connection: Connection) -> tuple[list[dict[str, Any]], Names]:
        names = names_of(request, connection, broker.catalogue)
        found = [(month, uses_of(connection, items, *periods.span_of_month(month))) for month in months]
        return [
            use_members(names, use, {"month": month}) for month, uses in found for use in wanted(uses, filters)
        ], names

    told, names = await broker.storage.read(work)
    members = {"department": department, "from": months[-1], "to": months[0], "filters": filters, "uses": told}
    return shown(
        request,
        "steward_uses.html",
        members,
        told,
        names=names,
        items=items,
        first=months[-1],
        last=months[0],
    )


@router.get("/calls")
async def read_calls(request: Request) -> Response:
    """The calls behind one count, newest first. That she looked is in the log before she sees any."""
    broker, given = wire.broker_of(request), request.query_params
    item = my_item(request, given.get("item", ""))
    period = _period(request, broker)
    names_given = {name: given.get(name, "") for name in ("requester", "matter")}
    cursor = _cursor(given.get("cursor", ""))

    def work(connection: Connection) -> tuple[Page, Names]:
        names = names_of(request, connection, broker.catalogue)
        _check_known(names, names_given)
        span = _span(period)
        sought = calls.asked(names_given["requester"], names_given["matter"], item.id, span)
        return calls.calls_of(connection, names, item.department, sought, cursor), names

    page, names = await broker.storage.read(work)
    filters = {**names_given, "item": item.id, **period}
    await record_look(request, "calls", filters, entries=len(page.calls))
    members = {
        "department": item.department,
        "filters": filters,
        "calls": page.calls,
        "next": str(page.following) if page.following is not None else None,
    }
    rows = calls.rows(page.calls)
    return shown(request, "steward_calls.html", members, rows, names=names, item=item)


@router.get("/day")
async def read_day(request: Request) -> Response:
    """A day at a glance: who asked what, what is odd, what waits for me. Today unless the address says."""
    broker, department = wire.broker_of(request), department_of(request)
    today = day_of(broker.now())
    day = periods.read_day(request.query_params["day"]) if "day" in request.query_params else today

    def work(connection: Connection) -> tuple[dict[str, Any], Names]:
        names = names_of(request, connection, broker.catalogue)
        return _digest(connection, names, broker, department, day), names

    members, names = await broker.storage.read(work)
    return shown(
        request,
        "steward_day.html",
        members,
        members["uses"],
        names=names,
        rules=patterns,
        before=date.fromordinal(day.toordinal() - 1).isoformat(),
        after=date.fromordinal(day.toordinal() + 1).isoformat() if day < today else "",
    )


def _digest(connection: Connection, names: Names, broker: Broker, department: str, day: date) -> dict[str, Any]:
    items = items_of(broker.catalogue, department)
    found: Sequence[Use] = uses_of(connection, [item.id for item in items], *periods.span_of_days(day))
    marks = patterns.marks_of(connection, broker.catalogue, items, day)
    waiting = inquiries.waiting(connection, Kind.CORRECTION, _OPEN_AT_MOST, department)
    filed = [one for one in applications.read_all(connection, department) if one.status in applications.WAITING]
    today = day_of(broker.now()).isoformat()
    return {
        "department": department,
        "date": day.isoformat(),
        "uses": [use_members(names, use, {"day": day.isoformat()}) for use in found],
        "marks": patterns.mark_rows(marks),
        "waiting": {
            "corrections": len(waiting),
            "corrections_overdue": sum(one.due_on < today for one in waiting),
            "applications": len(filed),
            "applications_overdue": sum(one.overdue(broker.now()) for one in filed),
        },
    }


def _months(request: Request, broker: Broker) -> list[str]:
    given = request.query_params
    last = given.get("to") or periods.month_of(broker.now())
    return periods.months_between(given.get("from") or last, last)


def _period(request: Request, broker: Broker) -> dict[str, str]:
    """The day that the address names, else its month, else this one."""
    given = request.query_params
    if given.get("day"):
        return {"day": periods.read_day(given["day"]).isoformat()}
    return {"month": given.get("month") or periods.month_of(broker.now())}


def _span(period: Mapping[str, str]) -> tuple[int, int]:
    if "day" in period:
        return periods.span_of_days(periods.read_day(period["day"]))
    return periods.span_of_month(period["month"])


def _check_known(names: Names, given: Mapping[str, str]) -> None:
    """What is looked for is recorded for good: only words that we know. Raises Refused(invalid_request)."""
    for name, known in (("requester", names.requesters), ("matter", names.catalogue.matters)):
        if given[name] and given[name] not in known:
            raise Refused(Code.INVALID_REQUEST, member=name)


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.read(text) if text else None
    except SearchRefused as error:
        raise Refused(Code.INVALID_REQUEST, member="cursor") from error
