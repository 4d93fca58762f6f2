"""/operate/departments: one screen on which an operator sees how each department's routes do."""

from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from broker.api import wire
from broker.department_watch import watch
from broker.moments import age, second
from broker.pages.rendering import Language, language_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.staff.roles import Role
from broker.watched_departments import members, read_state

router = APIRouter(prefix="/operate", tags=["staff"], route_class=for_roles(Role.SYSTEM))

PATH: Final = "/operate/departments"


@router.get("/departments")
async def read(request: Request) -> Response:
    """All routes, or with `?state=` those in that state."""
    broker, state = wire.broker_of(request), read_state(request.query_params.get("state", ""))
    shown = members(broker, await watch(broker), state)
    english = language_of(request) is Language.ENGLISH
    return view(
        request,
        "watched_departments.html",
        shown,
        _rows(shown),
        staff=staff_of(request).member,
        shown=shown,
        age=partial(age, now=shown["as_of"], english=english),
        at=partial(second, now=shown["as_of"], english=english),
        address=partial(_address, english=english),
        other_language=_address(state, english=not english),
    )


def _rows(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """For a spreadsheet: one route a line, what is one word of it."""
    words = ("route", "item", "state", "answers_at", "breaker", "asked_at", "success_at")
    return [
        {"department": one["department"], **{word: route[word] for word in words}}
        for one in shown["departments"]
        for route in one["routes"]
    ]


def _address(state: str, *, english: bool) -> str:
    words = [f"state={state}"] if state else []
    words += ["lang=en"] if english else []
    return PATH + ("?" + "&".join(words) if words else "")
