"""Starting a case: the person, read from a scanner or typed once; the matter proposed; what is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.desk import asking, cases
from broker.desk.cases import NewCase
from broker.desk.offered import Offered
from broker.desk.pages.worklist import rows_of
from broker.desk.refusals import Refused, Why
from broker.desk.rendering import page, see
from broker.desk.visits import Form, Visit, changing, signed_in
from policies.identifiers import read_id_number
from policies.vocabulary import Person

LONGEST_NAME = 60


async def ask_person(request: Request) -> Response:
    visit = await signed_in(request)
    return await _form(visit, {}, None)


async def start(request: Request) -> Response:
    """A new case; where the person has one already, that is shown first."""
    visit, form = await changing(request)
    offered = await visit.desk.offered()
    try:
        new = _read(visit, form, offered)
    except Refused as mistake:
        typed = {name: form.one(name) for name in ("name", "id_number", "matter")}
        return await _form(visit, typed, mistake)
    desk, session = visit.desk, visit.session
    vault = desk.settings.vault
    known = await desk.store.run(lambda connection: cases.of_person(connection, vault, new.person))
    if known and form.one("again") != "yes":
        typed = {"name": new.person.name, "id_number": new.person.id_number, "matter": new.matter}
        return await _form(visit, typed, None, known=rows_of(visit, known, offered))
    number = await desk.store.run(lambda connection: cases.start(connection, desk.settings, new, session, desk.now()))
    return see(request, f"/cases/{number}")


async def ask(request: Request) -> Response:
    """File what was ticked; the code is on the next screen."""
    visit, form = await changing(request)
    case = await visit.case()
    items = [] if case.bundle else _items(form, await visit.desk.offered(), case.matter)
    await asking.ask(visit.desk, visit.session, case, items)
    return see(request, f"/cases/{case.number}")


def needs_of(visit: Visit, offered: Offered, matter: str) -> list[dict[str, Any]]:
    """The matter's needs as the clerk ticks them."""
    name = "name_en" if visit.english else "name_zh"
    shown = []
    for need in offered.needs(matter):
        item = offered.items[need["item"]]
        claims = [one for one in item["fields"] if one["id"] in need["fields"]] if item["kind"] == "verify" else []
        shown.append(
            {
                "item": need["item"],
                "name": item[name],
                "department": offered.name("departments", item["department"], english=visit.english),
                "ticked": need["default"],
                "required": need["required"],
                "when": need["when_en" if visit.english else "when_zh"],
                "params": [_input(one, name) for one in item["params"]],
                "claims": [_input(one, name) for one in claims],
            }
        )
    return shown


def papers_of(visit: Visit, offered: Offered, matter: str) -> dict[str, list[str]]:
    """Which papers the matter still wants, and which an answer would make needless."""
    name = "name_en" if visit.english else "name_zh"
    materials: Sequence[Mapping[str, Any]] = offered.matters.get(matter, {}).get("materials", ())
    return {
        "kept": [one[name] for one in materials if one["state"] == "kept"],
        "replaced": [one[name] for one in materials if one["state"] == "replaced"],
    }


async def _form(visit: Visit, typed: Mapping[str, str], mistake: Refused | None, **values: Any) -> Response:
    """The matter that this desk is asked for most stands first and is chosen."""
    offered, desk = await visit.desk.offered(), visit.desk
    used = await desk.store.run(cases.most_used)
    matters = sorted(offered.startable(desk.settings.matters), key=lambda one: -used.get(one["id"], 0))
    shown = [_matter(visit, offered, one) for one in matters]
    chosen = typed.get("matter") or (shown[0]["id"] if shown else "")
    status = mistake.status if mistake is not None else 200
    values = {"known": []} | values
    return page(
        visit.request,
        "start.html",
        visit=visit,
        status=status,
        matters=shown,
        chosen=chosen,
        typed={"name": "", "id_number": ""} | dict(typed),
        mistake=mistake,
        **values,
    )


def _matter(visit: Visit, offered: Offered, matter: Mapping[str, Any]) -> dict[str, Any]:
    bundle = matter["id"] in offered.bundles
    return {
        "id": matter["id"],
        "name": matter["name_en" if visit.english else "name_zh"],
        "bundle": bundle,
        "days": offered.days(matter["id"]),
        "before": 0 if bundle else matter["materials_before"],
        "now": 0 if bundle else matter["materials_now"],
    }


def _read(visit: Visit, form: Form, offered: Offered) -> NewCase:
    name = form.one("name")
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused(Why.INVALID, "name")
    try:
        number = read_id_number("".join(form.one("id_number").split()))
    except ValueError:
        raise Refused(Why.INVALID, "id_number") from None
    matter = form.one("matter")
    if matter not in {one["id"] for one in offered.startable(visit.desk.settings.matters)}:
        raise Refused(Why.INVALID, "matter")
    return NewCase(Person(name, number), matter, matter in offered.bundles, offered.days(matter))


def _items(form: Form, offered: Offered, matter: str) -> list[dict[str, Any]]:
    """What was ticked, with the query keys and claims that were filled in. Raises Refused(invalid_request)."""
    ticked = form.all("item")
    needs = {need["item"]: need for need in offered.needs(matter)}
    if not ticked or not needs.keys() >= set(ticked):
        raise Refused(Why.INVALID, "items")
    return [_item(form, offered.items[item]) for item in ticked]


def _item(form: Form, item: Mapping[str, Any]) -> dict[str, Any]:
    filed: dict[str, Any] = {"item": item["id"]}
    params = {one["id"]: form.one(f"{item['id']}.{one['id']}") for one in item["params"]}
    claims = {one["id"]: form.one(f"{item['id']}.{one['id']}") for one in item["fields"] if item["kind"] == "verify"}
    if any(params.values()):
        filed["params"] = {name: value for name, value in params.items() if value}
    if any(claims.values()):
        filed["expect"] = {name: value for name, value in claims.items() if value}
    return filed


def _input(field: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"id": field["id"], "name": field[name], "kind": field["kind"], "codes": field.get("codes", {})}
