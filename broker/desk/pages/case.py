"""One case on one screen, whatever step it is at, and its JSON twin; each step's page is a template of its own."""

import json
from typing import Any, Final

from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from broker import qr
from broker.desk import asking, handovers, pulling
from broker.desk.asking import parts_of
from broker.desk.cases import Case
from broker.desk.masks import mask_value, plain_value
from broker.desk.offered import Offered
from broker.desk.pages.starting import needs_of, papers_of
from broker.desk.pages.worklist import rows_of
from broker.desk.pulling import Answer
from broker.desk.refusals import Refused, Why
from broker.desk.rendering import iso, page, say, see, twin
from broker.desk.visits import Visit, changing, signed_in, wants_json
from broker.desk.words import DECISIONS, PARTIES, REASONS, REQUESTS, TRANSIENT, tone_of

_TEMPLATES: Final = {
    "started": "ask.html",
    "declined": "ask.html",
    "expired": "code.html",
    "asking": "code.html",
    "agreed": "agreed.html",
    "answered": "results.html",
    "paper": "paper.html",
    "decided": "finished.html",
}


async def read(request: Request) -> Response:
    """The case where it stands now; while the person is asked, the broker is asked first."""
    visit = await signed_in(request)
    case, trouble = await _looked_at(visit, await visit.case())
    return await show_case(visit, case, trouble=trouble)


async def show_case(visit: Visit, case: Case, *, trouble: Refused | None = None, shown: str = "") -> Response:
    """`shown` names the one value that stands in clear."""
    offered = await visit.desk.offered()
    members = await _members(visit, case, offered, shown)
    if wants_json(visit.request):
        return twin(visit, "", members)
    values: dict[str, Any] = {
        "needs": needs_of(visit, offered, case.matter) if case.stage in {"started", "declined"} else [],
        "papers": papers_of(visit, offered, case.matter),
        "picture": _picture(case),
        "partners": list(visit.desk.settings.partners.values()),
        "trouble": trouble,
    }
    return page(visit.request, _TEMPLATES[case.stage], visit=visit, **members, **values)


async def screen(request: Request) -> Response:
    """The code alone, for the screen that is turned to the customer: no name, no number, no button."""
    visit = await signed_in(request)
    case, _ = await _looked_at(visit, await visit.case())
    members = await _members(visit, case, await visit.desk.offered(), "")
    return page(request, "screen.html", picture=_picture(case), **members)


async def renew(request: Request) -> Response:
    visit, _ = await changing(request)
    case = await visit.case()
    await asking.renew(visit.desk, case)
    return see(request, f"/cases/{case.number}")


async def paper(request: Request) -> Response:
    visit, _ = await changing(request)
    case = await visit.case()
    await asking.leave_for_paper(visit.desk, case)
    return see(request, f"/cases/{case.number}")


async def pull(request: Request) -> Response:
    visit, _ = await changing(request)
    case = await visit.case()
    await pulling.pull(visit.desk, visit.session, case)
    return see(request, f"/cases/{case.number}")


async def collect(request: Request) -> Response:
    visit, _ = await changing(request)
    case = await visit.case()
    await pulling.collect(visit.desk, case)
    return see(request, f"/cases/{case.number}")


async def again(request: Request) -> Response:
    visit, _ = await changing(request)
    case = await visit.case()
    await pulling.again(visit.desk, visit.session, case)
    return see(request, f"/cases/{case.number}")


async def show(request: Request) -> Response:
    """One value, once it stands in the broker's log that this clerk looks at it. It stands in no address."""
    visit, form = await changing(request)
    case, wanted = await visit.case(), form.one("value")
    case.must_be("answered")
    for answer in await pulling.answers_of(visit.desk, case):
        if wanted in _value_names(answer):
            await pulling.show(visit.desk, visit.session, answer)
            return await show_case(visit, case, shown=wanted)
    raise Refused(Why.INVALID, "value")


async def decide(request: Request) -> Response:
    visit, form = await changing(request)
    case, decision = await visit.case(), form.one("decision")
    if decision not in DECISIONS:
        raise Refused(Why.INVALID, "decision")
    if case.origin:
        await handovers.give_back(visit.desk, visit.session, case, decision, form.one("note"))
    elif case.joint in {"", handovers.BACK}:
        await pulling.decide(visit.desk, visit.session, case, decision)
    else:
        raise Refused(Why.WRONG_STAGE, case.joint)
    return see(request, f"/cases/{case.number}")


def _picture(case: Case) -> str:
    return qr.svg(case.link["consent_url"], scalable=True) if case.link and case.stage == "asking" else ""


async def _looked_at(visit: Visit, case: Case) -> tuple[Case, Refused | None]:
    try:
        await asking.look(visit.desk, case)
    except Refused as refused:
        return case, refused
    return await visit.case(), None


async def _members(visit: Visit, case: Case, offered: Offered, shown: str) -> dict[str, Any]:
    """All that the page and its twin say of the case."""
    desk = visit.desk
    parts = await desk.store.run(lambda connection: parts_of(connection, case))
    cards = [_card(visit, answer, offered, shown) for answer in await pulling.answers_of(desk, case)]
    [row] = rows_of(visit, [case], offered)
    return {
        "case": row | {"decision": case.decision, "decided": iso(case.decided), "rating": case.rating},
        "bundle": case.bundle,
        "request": _request(visit, case),
        "parts": [_part(visit, part, offered) for part in parts],
        "cards": cards,
        "waiting": sum(card["outcome"] == "pending" for card in cards),
        "in_trouble": sum(card["transient"] for card in cards),
        "receipts": [_receipt(one) for one in await pulling.receipts_of(desk, case)],
        "parcels": [_parcel(one) for one in await handovers.parcels_of(desk, case)],
    }


def _request(visit: Visit, case: Case) -> dict[str, Any] | None:
    if case.request is None:
        return None
    status = case.request_status or ""
    told = {
        "status": status,
        "status_name": say(english=visit.english)(REQUESTS.get(status, (status, status))),
        "expires": iso(case.request_expires),
        "expires_in": max(0, (case.request_expires or 0) - visit.desk.now()),
    }
    return told | ({"user_code": case.link["user_code"]} if case.link else {})


def _part(visit: Visit, part: RowMapping, offered: Offered) -> dict[str, Any]:
    english = visit.english
    named = [
        [offered.name("items", item, english=english) for item in json.loads(part[which])]
        for which in ("granted", "declined")
    ]
    return {
        "matter_name": offered.matter_name(part["matter"], english=english),
        "party_name": say(english=english)(PARTIES.get(part["party"], (part["party"],) * 2)),
        "ours": part["requester"] == visit.desk.settings.requester,
        "requester": part["requester"],
        "status": part["status"],
        "granted": named[0],
        "declined": named[1],
    }


def _card(visit: Visit, answer: Answer, offered: Offered, shown: str) -> dict[str, Any]:
    chosen = say(english=visit.english)
    tone, word = tone_of(answer.outcome)
    return {
        "item": answer.item,
        "name": offered.name("items", answer.item, english=visit.english),
        "party": answer.party,
        "party_name": chosen(PARTIES.get(answer.party, (answer.party,) * 2)),
        "department": offered.name("departments", answer.department, english=visit.english),
        "as_of": answer.as_of,
        "outcome": answer.outcome,
        "tone": tone,
        "word": chosen(word),
        "reason": chosen(REASONS.get(answer.outcome, ("", ""))),
        "transient": answer.outcome in TRANSIENT,
        "values": _values(visit, answer, offered, shown),
    }


def _values(visit: Visit, answer: Answer, offered: Offered, shown: str) -> list[dict[str, Any]]:
    values = []
    for number, record in enumerate(answer.records):
        for name, value in record.items():
            field, key = offered.field(answer.item, name), _name_of(answer, number, name)
            clear = key == shown
            values.append(
                {
                    "key": key,
                    "name": field["name_en" if visit.english else "name_zh"],
                    "record": number + 1,
                    "text": plain_value(field, value, english=visit.english) if clear else mask_value(field, value),
                    "shown": clear,
                    "empty": value is None,
                }
            )
    return values


def _value_names(answer: Answer) -> set[str]:
    return {_name_of(answer, number, name) for number, record in enumerate(answer.records) for name in record}


def _name_of(answer: Answer, record: int, field: str) -> str:
    return f"{answer.party}/{answer.item}/{record}/{field}"


def _receipt(row: RowMapping) -> dict[str, Any]:
    return {"index": row["entry_index"], "exchange": row["exchange"], "results": row["results"], "verified": True}


def _parcel(one: handovers.Parcel) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "partner": one.partner,
        "outgoing": one.outgoing,
        "at": iso(one.at),
        "note": one.note,
        "decision": one.decision,
    }
