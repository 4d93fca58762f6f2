"""The work list by clock, as a page, as JSON and as CSV; finding a case; and what a low rating left to do."""

import hmac
import re
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from broker.desk import cases, ratings, spreadsheet
from broker.desk.cases import PAGE, Case, Wanted
from broker.desk.masks import mask_name, mask_number
from broker.desk.offered import Offered
from broker.desk.refusals import Refused, Why
from broker.desk.rendering import clock_words, iso, page, say, see, twin
from broker.desk.visits import Visit, changing, signed_in
from broker.desk.words import JOINT, STAGES
from policies.identifiers import read_id_number
from policies.vocabulary import Person

LONGEST_FILTER: Final = 64
_KNOWN: Final = frozenset({"stage", "number", "after", "lang"})
_CURSOR: Final = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9._~-]{1,64})\.([0-9a-f]{16})")


async def read(request: Request) -> Response:
    visit = await signed_in(request)
    wanted = _wanted(visit)
    found = await _listed(visit, wanted)
    more = found[PAGE - 1 : PAGE] if len(found) > PAGE else []
    tasks = await visit.desk.store.run(lambda connection: ratings.open_tasks(connection, visit.session.clerk))
    members = {
        "cases": rows_of(visit, found[:PAGE], await visit.desk.offered()),
        "tasks": [_task(visit, task) for task in tasks],
        "next": _cursor(visit, more[0]) if more else None,
    }
    return twin(visit, "cases.html", members, wanted=wanted)


async def as_csv(request: Request) -> Response:
    """The same rows for a spreadsheet, all pages in one."""
    visit = await signed_in(request)
    wanted = _wanted(visit)
    found = await _listed(visit, wanted, spreadsheet.MOST)
    text = spreadsheet.write(rows_of(visit, found, await visit.desk.offered()), english=visit.english)
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="cases.csv"'}
    return Response(text, 200, headers, media_type="text/csv; charset=utf-8")


async def find(request: Request) -> Response:
    """By case number or by id number, which is why it is sent and stands in no address."""
    visit, form = await changing(request)
    text, desk = form.one("find"), visit.desk
    if len(text) > LONGEST_FILTER:
        raise Refused(Why.INVALID, "filter")
    try:
        person = Person("", read_id_number(text))
    except ValueError:
        return await _find_number(visit, text)
    found = await desk.store.run(lambda connection: cases.of_person(connection, desk.settings.vault, person))
    return await _found(visit, found)


async def finish_task(request: Request) -> Response:
    visit, form = await changing(request)
    task, note, desk = request.path_params["task"], form.one("note"), visit.desk
    await desk.store.run(lambda connection: ratings.finish(connection, desk, visit.session.clerk, task, note))
    return see(request, "/cases")


def rows_of(visit: Visit, found: Sequence[Case], offered: Offered) -> list[dict[str, Any]]:
    """What stands in a list of each case: never more of the person than the mask."""
    return [_row(visit, case, offered) for case in found]


def _row(visit: Visit, case: Case, offered: Offered) -> dict[str, Any]:
    now, english = visit.desk.now(), visit.english
    due = case.due_at(now)
    urgency, clock = clock_words(due, now, english=english)
    if case.stopped is not None:
        urgency, clock = "stopped", say(english=english)("停表：等补正", "stopped: waiting for more")
    return {
        "number": case.number,
        "person": mask_name(case.person.name),
        "id_number": mask_number(case.person.id_number),
        "matter": case.matter,
        "matter_name": offered.matter_name(case.matter, english=english),
        "stage": case.stage,
        "stage_name": say(english=english)(STAGES[case.stage]),
        "joint": case.joint,
        "joint_name": say(english=english)(JOINT[case.joint]) if case.joint else "",
        "partner": case.partner,
        "origin": case.origin,
        "clerk": case.clerk,
        "mine": case.clerk == visit.session.clerk.number,
        "started": iso(case.started),
        "due": iso(due),
        "urgency": "" if case.stage == "decided" else urgency,
        "clock": "" if case.stage == "decided" else clock,
    }


async def _find_number(visit: Visit, text: str) -> Response:
    desk, clerk = visit.desk, visit.session.clerk
    wanted = Wanted(number=text)
    found = await desk.store.run(
        lambda connection: [
            *cases.work_list(connection, desk.settings.vault, clerk, wanted),
            *cases.work_list(connection, desk.settings.vault, clerk, Wanted("decided", text)),
        ]
    )
    if [case.number for case in found] == [text]:
        return see(visit.request, f"/cases/{text}")
    return await _found(visit, found)


async def _found(visit: Visit, found: Sequence[Case]) -> Response:
    rows = rows_of(visit, found, await visit.desk.offered())
    return page(visit.request, "cases.html", visit=visit, wanted=None, cases=rows, tasks=[], next=None)


async def _listed(visit: Visit, wanted: Wanted, most: int = PAGE + 1) -> list[Case]:
    desk, clerk = visit.desk, visit.session.clerk
    return await desk.store.run(
        lambda connection: cases.work_list(connection, desk.settings.vault, clerk, wanted, most)
    )


def _wanted(visit: Visit) -> Wanted:
    """Raises Refused(invalid_request | bad_cursor): what is not understood is not left out."""
    given = visit.request.query_params
    if not _KNOWN.issuperset(given) or len(given.multi_items()) != len(given):
        raise Refused(Why.INVALID, "filter")
    stage, number = given.get("stage", ""), given.get("number", "")
    if (stage and stage not in STAGES) or len(number) > LONGEST_FILTER:
        raise Refused(Why.INVALID, "filter")
    return Wanted(stage, number, _after(visit, given["after"]) if "after" in given else None)


def _cursor(visit: Visit, last: Case) -> str:
    place = f"{last.due}.{last.number}"
    return f"{place}.{_signed(visit, place)}"


def _after(visit: Visit, cursor: str) -> tuple[int, str]:
    matched = _CURSOR.fullmatch(cursor)
    if matched is None or not hmac.compare_digest(_signed(visit, f"{matched[1]}.{matched[2]}"), matched[3]):
        raise Refused(Why.BAD_CURSOR)
    return int(matched[1]), matched[2]


def _signed(visit: Visit, place: str) -> str:
    return visit.desk.settings.vault.tag(f"cursor/{visit.session.clerk.number}", place)[:16]


def _task(visit: Visit, task: ratings.Task) -> dict[str, Any]:
    urgency, clock = clock_words(task.due, visit.desk.now(), english=visit.english)
    return {"id": task.id, "case": task.case, "due": iso(task.due), "urgency": urgency, "clock": clock}
