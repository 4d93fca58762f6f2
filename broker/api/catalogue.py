"""GET /v1/catalogue: what can be asked, for which matter, and why. Public, and the same for everybody."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from broker.api import wire
from policies.catalogue import Catalogue
from policies.materials import register
from policies.vocabulary import Field, Item, Matter, Parameter

router = APIRouter(tags=["public"])


@router.get("/v1/catalogue")
async def read(request: Request) -> Response:
    broker = wire.broker_of(request)
    etag = f'"{broker.catalogue.digest[:32]}-{broker.directory.digest[:32]}"'
    headers = {"Cache-Control": "public, max-age=300", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(request.app.state.told_catalogue(), 200, headers, "application/json")


def told(catalogue: Catalogue, routed: frozenset[str]) -> bytes:
    """The catalogue on the wire. Some milliseconds' work, so it is made once: neither changes while a process runs."""
    members = {
        "version": catalogue.version,
        "digest": catalogue.digest,
        "departments": [msgspec.to_builtins(department) for department in catalogue.departments.values()],
        "items": [_item(item, item.id in routed) for item in catalogue.items.values()],
        "matters": [_matter(matter, routed) for matter in catalogue.matters.values()],
        "bundles": [msgspec.to_builtins(bundle) for bundle in catalogue.bundles.values()],
    }
    return msgspec.json.encode(members)


def _item(item: Item, routed: bool) -> dict[str, Any]:
    return {
        "id": item.id,
        "name_zh": item.name_zh,
        "name_en": item.name_en,
        "department": item.department,
        "kind": item.kind,
        "joint": list(item.joint),
        "parties": list(item.parties),
        "about": item.about,
        "question": item.question,
        "sharing": item.sharing,
        "updated": item.updated,
        "routed": routed,
        "fields": [_field(field) for field in item.fields.values()],
        "params": [_parameter(parameter) for parameter in item.parameters.values()],
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "id": field.id,
        "name_zh": field.name_zh,
        "name_en": field.name_en,
        "kind": field.kind,
        "sensitive": field.sensitive,
        "example": field.example,
        "codes": dict(field.codes),
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "id": parameter.id,
        "name_zh": parameter.name_zh,
        "name_en": parameter.name_en,
        "kind": parameter.kind,
        "pattern": parameter.pattern,
    }


def _matter(matter: Matter, routed: frozenset[str]) -> dict[str, Any]:
    added_up = register(matter, routed)
    return {
        "id": matter.id,
        "version": matter.version,
        "name_zh": matter.name_zh,
        "name_en": matter.name_en,
        "uses": matter.uses,
        "valid_days": matter.valid_days,
        "otherwise_zh": matter.otherwise_zh,
        "otherwise_en": matter.otherwise_en,
        "batch": matter.batch,
        "recipient": matter.recipient,
        "family": matter.family,
        "applicants_zh": matter.applicants_zh,
        "applicants_en": matter.applicants_en,
        "modes": list(matter.modes),
        "statutory_days": matter.statutory_days,
        "promised_days": matter.promised_days,
        "needs": [msgspec.to_builtins(need) for need in matter.needs.values()],
        "materials": [msgspec.to_builtins(material) for material in matter.materials],
        "materials_before": added_up.before,
        "materials_now": added_up.now,
        "zero_material": added_up.zero_material,
    }
