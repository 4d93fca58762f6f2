"""GET /v1/catalogue: what can be asked, for which matter, and why. Public, and the same for everybody."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from broker.api import wire
from policies.vocabulary import Field, Item, Matter, Parameter

router = APIRouter(tags=["public"])


@router.get("/v1/catalogue")
async def read(request: Request) -> Response:
    catalogue = wire.broker_of(request).catalogue
    members = {
        "version": catalogue.version,
        "digest": catalogue.digest,
        "departments": [msgspec.to_builtins(department) for department in catalogue.departments.values()],
        "items": [_item(item) for item in catalogue.items.values()],
        "matters": [_matter(matter) for matter in catalogue.matters.values()],
    }
    etag = f'"{catalogue.digest}"'
    headers = {"Cache-Control": "public, max-age=300", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(msgspec.json.encode(members), 200, headers, "application/json")


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "name_zh": item.name_zh,
        "name_en": item.name_en,
        "department": item.department,
        "kind": item.kind,
        "joint": list(item.joint),
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


def _matter(matter: Matter) -> dict[str, Any]:
    return {
        "id": matter.id,
        "version": matter.version,
        "name_zh": matter.name_zh,
        "name_en": matter.name_en,
        "uses": matter.uses,
        "valid_days": matter.valid_days,
        "otherwise_zh": matter.otherwise_zh,
        "otherwise_en": matter.otherwise_en,
        "needs": [msgspec.to_builtins(need) for need in matter.needs.values()],
    }
