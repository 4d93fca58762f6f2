"""/departments/{department}/waiting: what waits for one of a department's people, and where she types the answer.

The smallest honest thing: a signed link is the sign-in. What a steward's desk needs beyond it (accounts, shifts, a
second person's look) is not here.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from broker.api import wire
from broker.arrivals import Task, take_typed, tasks
from broker.department_links import LONGEST, Clerk, read_link
from broker.moments import rfc3339
from broker.names import Names
from broker.pages.rendering import names_of, page_of_forms, query_of
from broker.plain_words import Words
from broker.problems import status_of
from connectors.manual import Said, Typed
from connectors.values import Column
from policies.refusals import Code, Refused
from policies.vocabulary import Field, FieldKind

router = APIRouter(prefix="/departments/{department}", tags=["departments"])

COOKIE: Final = "department_link"


@dataclass(frozen=True, slots=True)
class Mistaken:
    """What was typed and not taken: it is shown once more, to be corrected."""

    question: str
    refused: Refused
    typed: Mapping[str, str] = field(repr=False)


@router.get("/enter")
async def enter(request: Request, department: str, link: str = "") -> Response:
    """Where the link leads: it becomes a cookie, so that it stands in no further address."""
    broker = wire.broker_of(request)
    clerk = read_link(link, broker.keys.issuer, broker.settings.issuer, broker.now())
    if clerk.department != department:
        raise Refused(Code.FORBIDDEN)
    response = RedirectResponse(f"/departments/{department}/waiting" + query_of(request), 303, wire.NO_STORE)
    secure = broker.settings.secure
    path = f"/departments/{department}"
    response.set_cookie(COOKIE, link, max_age=LONGEST, path=path, secure=secure, httponly=True, samesite="lax")
    return response


@router.get("/waiting")
async def read(request: Request, department: str) -> Response:
    """What is asked, of whom, why and under whose consent; the oldest first."""
    return await _page(request, _clerk(request, department))


@router.post("/waiting/{question}")
async def answer(request: Request, department: str, question: str) -> Response:
    """Take what was typed; where it cannot be read, the page says which rule it broke and nothing is kept."""
    wire.same_origin(request)
    clerk = _clerk(request, department)
    fields = await wire.read_fields(request)
    given = fields.pop("said", "")
    said = next((word for word in get_args(Said) if word == given), None)
    if said is None:
        raise Refused(Code.INVALID_REQUEST, member="said")
    typed = Typed(said, {name: value.strip() for name, value in fields.items()}, clerk.staff)
    try:
        await take_typed(wire.broker_of(request).path, department, question, typed)
    except Refused as error:
        if error.refusal.code is not Code.INVALID_REQUEST:
            raise
        return await _page(request, clerk, Mistaken(question, error, fields | {"said": said}))
    answered = "&answered=1" if query_of(request) else "?answered=1"
    return RedirectResponse(f"/departments/{department}/waiting{query_of(request)}{answered}", 303, wire.NO_STORE)


def _clerk(request: Request, department: str) -> Clerk:
    broker = wire.broker_of(request)
    clerk = read_link(request.cookies.get(COOKIE, ""), broker.keys.issuer, broker.settings.issuer, broker.now())
    if clerk.department != department:
        raise Refused(Code.FORBIDDEN)
    return clerk


async def _page(request: Request, clerk: Clerk, mistaken: Mistaken | None = None) -> Response:
    broker = wire.broker_of(request)

    def work(connection: Connection) -> list[dict[str, Any]]:
        names = names_of(request, connection, broker.catalogue)
        waiting = tasks(connection, broker.path, clerk.department)
        return [_members(task, names, mistaken) | _times(task, broker.now()) for task in waiting]

    return page_of_forms(
        "waiting.html",
        request,
        status=200 if mistaken is None else status_of(mistaken.refused.refusal),
        path=f"/departments/{clerk.department}/waiting",
        clerk=clerk,
        department=broker.catalogue.departments[clerk.department],
        tasks=await broker.storage.read(work),
        answered="answered" in request.query_params,
        mistake=mistaken.refused.refusal.member if mistaken is not None else "",
        of=mistaken.question if mistaken is not None else "",
    )


def _members(task: Task, names: Names, mistaken: Mistaken | None) -> dict[str, Any]:
    question = task.known.question
    columns = task.connector.records.fields
    typed = mistaken.typed if mistaken is not None and mistaken.question == question.call else {}
    return {
        "number": question.call,
        "requester": names.requester(question.requester),
        "case": question.case,
        "desk": task.asked.desk,
        "operator": question.operator,
        "consent": question.consent,
        "purpose": names.purpose(question.matter, question.item.id, task.known.line.grant.purpose),
        "subject": question.subject,
        "other": question.other,
        "item": question.item,
        "params": [(question.item.parameters[name], value) for name, value in question.params.items()],
        "fields": [_field(question.item.fields[name], columns[name]) for name in question.fields],
        "subject_field": str(question.item.about),
        "typed": defaultdict(str, typed),
    }


def _times(task: Task, now: float) -> dict[str, Any]:
    """By when the department said it answers, whether that has passed, and until when an answer is taken."""
    until = min(task.asked.give_up_at, task.known.expires)
    due = min(task.asked.answers_at or until, until)
    return {"due": rfc3339(due) if due < until else "", "overdue": due < until and due <= now, "until": rfc3339(until)}


def _field(field: Field, column: Column) -> dict[str, Any]:
    """What the clerk types into: a list to choose from where the words are known beforehand."""
    if field.kind is FieldKind.FLAG:
        choices = {column.yes[0]: column.yes[0], column.no[0]: column.no[0]}
    elif field.kind is FieldKind.CODE:
        written = column.codes or {code: code for code in field.codes}
        choices = {theirs: f"{theirs} {field.codes.get(ours, '')}".strip() for theirs, ours in written.items()}
    else:
        choices = {}
    return {
        "id": field.id,
        "zh": field.name_zh,
        "en": field.name_en,
        "choices": choices,
        "written": _WRITTEN.get(column.spelling),
        "number": field.kind in _NUMBERS,
    }


_WRITTEN: Final[Mapping[str, Words]] = {
    "yuan": ("元", "yuan"),
    "wan_yuan": ("万元", "ten thousand yuan"),
    "fen": ("分", "fen"),
    "date": ("年-月-日", "YYYY-MM-DD"),
    "datetime": ("年-月-日 时:分:秒", "YYYY-MM-DD hh:mm:ss"),
    "month": ("年月，如 202610", "such as 202610"),
}
"""How a field is to be written, beside its name."""
_NUMBERS: Final = frozenset({FieldKind.MONEY, FieldKind.DECIMAL, FieldKind.INTEGER})
