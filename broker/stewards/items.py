"""A department's items as its steward reads them: what each is, who needs it why, how it is asked, what is stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.moments import rfc3339
from broker.names import Names
from broker.stewards import agreements, outages
from broker.stewards.agreements import Agreement
from broker.stewards.outages import Announced
from broker.stops import Stop
from connectors.health import RouteHealth
from policies.catalogue import Catalogue
from policies.vocabulary import Item, Need


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the catalogue, read at one moment."""

    health: Sequence[RouteHealth]
    stops: Sequence[Stop]
    outages: Sequence[Announced]
    agreements: Sequence[Agreement]
    today: str


def items_of(catalogue: Catalogue, department: str) -> Sequence[Item]:
    """The department's items, in the catalogue's order."""
    return [item for item in catalogue.items.values() if item.department == department]


def item_members(names: Names, item: Item, known: Known) -> dict[str, Any]:
    """One item on the wire, with names in the reader's language."""
    return {
        "item": item.id,
        "name": names.item(item.id),
        "kind": item.kind,
        "about": item.about,
        "sharing": item.sharing,
        "updated": item.updated,
        "fields": [
            {"field": field.id, "name": names.fields(item.id, [field.id]), "sensitive": field.sensitive}
            for field in item.fields.values()
        ],
        "needs": [
            _need(names, matter.id, matter.needs[item.id])
            for matter in names.catalogue.matters.values()
            if item.id in matter.needs
        ],
        "routes": [_route(route) for route in known.health if route.item == item.id],
        "stops": [_stop(names, one) for one in known.stops if one.item in (item.id, "")],
        "outages": [outages.members(one) for one in known.outages if one.item == item.id],
        "agreements": [agreements.members(names, one, known.today) for one in known.agreements if item.id in one.items],
    }


def item_rows(told: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """A line for each need of each item; an item that nothing needs has one line too."""
    nothing: Mapping[str, Any] = {
        "matter": "",
        "fields": [],
        "purpose": "",
        "legal_basis": "",
        "keep_days": None,
        "required": None,
    }
    return [_row(one, need) for one in told for need in one["needs"] or [nothing]]


def _row(one: Mapping[str, Any], need: Mapping[str, Any]) -> Mapping[str, Any]:
    sensitive = {field["field"] for field in one["fields"] if field["sensitive"]}
    return {
        "item": one["item"],
        "name": one["name"],
        "fields": " ".join(field["field"] for field in one["fields"]),
        "sensitive": " ".join(field["field"] for field in one["fields"] if field["field"] in sensitive),
        "matter": need["matter"],
        "fields_needed": " ".join(need["fields"]),
        "purpose": need["purpose"],
        "legal_basis": need["legal_basis"],
        "keep_days": need["keep_days"],
        "routes": " ".join(f"{route['route']}:{route['state']}" for route in one["routes"]),
        "stopped_for": " ".join(stop["requester"] or "*" for stop in one["stops"]),
        "agreements": " ".join(f"{made['requester']}:{made['until']}" for made in one["agreements"]),
    }


def _need(names: Names, matter: str, need: Need) -> dict[str, Any]:
    return {
        "matter": matter,
        "name": names.matter(matter),
        "fields": list(need.fields),
        "field_names": names.fields(need.item, need.fields),
        "purpose": need.purpose_en if names.english else need.purpose_zh,
        "legal_basis": need.legal_basis,
        "keep_days": need.keep_days,
        "required": need.required,
    }


def _route(route: RouteHealth) -> dict[str, Any]:
    return {
        "route": route.route,
        "state": route.state,
        "outcome": route.last.outcome if route.last is not None else "",
        "asked_at": _moment(route.last.at) if route.last is not None else None,
        "answers_at": _moment(route.answers_at),
    }


def _stop(names: Names, one: Stop) -> dict[str, Any]:
    return {
        "requester": one.requester,
        "name": names.requester(one.requester) if one.requester else "",
        "department": one.department,
        "by": one.by,
        "reason": one.reason,
        "since": rfc3339(one.stopped_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return rfc3339(int(moment.timestamp())) if moment is not None else None
