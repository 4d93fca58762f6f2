"""GET /v1/figures and /figures.csv: every number of every month that may be shown, and how it is counted. Public."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker.api import wire
from broker.figures import publishing
from broker.figures.csv_text import csv_of
from broker.figures.hiding import State
from broker.figures.publishing import AVERAGED, SUMMED, Figure
from broker.figures.words import TITLES
from broker.wiring import Broker

router = APIRouter(tags=["public"])

KEPT_SECONDS: Final = 300


@router.get("/v1/figures")
async def as_json(request: Request) -> Response:
    """All of them, with the rules by which they are counted."""
    broker = wire.broker_of(request)
    figures = await broker.storage.read(_every)
    tables = {name: _table(name) for name in TITLES}
    members = {
        "smallest": broker.settings.figures.smallest,
        "months": sorted({one.month for one in figures}),
        "tables": tables,
        "figures": [_members(one, broker) for one in figures],
    }
    return _kept(request, msgspec.json.encode(members), "application/json")


@router.get("/figures.csv")
async def as_csv(request: Request) -> Response:
    """The same, one number a line."""
    broker = wire.broker_of(request)
    figures = await broker.storage.read(_every)
    return _kept(request, csv_of(_lines(figures, broker)).encode(), "text/csv; charset=utf-8")


def _every(connection: Connection) -> list[Figure]:
    return list(publishing.every(connection))


def _table(name: str) -> dict[str, Any]:
    (title_zh, title_en), (rule_zh, rule_en) = publishing.title_of(name), publishing.rule_of(name)
    return {"title_zh": title_zh, "title_en": title_en, "rule_zh": rule_zh, "rule_en": rule_en, "sum_unit": _unit(name)}


def _members(one: Figure, broker: Broker) -> dict[str, Any]:
    chinese, english = publishing.name_of(one, broker.catalogue, broker.settings.figures.places)
    names = {"month": one.month, "table": one.table, "row": one.row, "name_zh": chinese, "name_en": english}
    return names | {"state": one.state, "count": one.count, "sum": one.total}


def _lines(figures: list[Figure], broker: Broker) -> Iterator[list[str]]:
    few = f"<{broker.settings.figures.smallest}"
    for one in figures:
        chinese, english = publishing.name_of(one, broker.catalogue, broker.settings.figures.places)
        count = few if one.state is State.SMALL else _number(one.count)
        names = [one.month, one.table, one.row, chinese, english]
        yield [*names, one.state, count, _number(one.total), _unit(one.table)]


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _unit(table: str) -> str:
    return "average_ms" if table in AVERAGED else SUMMED.get(table, "")


def _kept(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, media_type)
