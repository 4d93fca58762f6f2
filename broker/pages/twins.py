"""One view in three forms at one address: a page, JSON for programs, CSV for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from fastapi import Request, Response

from broker.api import wire
from broker.pages.rendering import page_of_forms

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run."""


def form_of(request: Request) -> str:
    """`page`, `json` or `csv`: what the address's `form` says, else what the caller accepts."""
    wanted = request.query_params.get("form", "")
    if wanted in ("json", "csv"):
        return wanted
    accepted = request.headers.get("accept", "")
    if "text/html" in accepted:
        return "page"
    return "json" if "application/json" in accepted else "csv" if "text/csv" in accepted else "page"


def view(
    request: Request,
    template: str,
    members: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]] | None = None,
    **values: Any,
) -> Response:
    """`members` are what every form says; `rows` those of the CSV; `values` what the page alone needs."""
    form = form_of(request)
    if form == "json":
        return wire.reply(members)
    if form == "csv" and rows is not None:
        return Response(as_csv(rows), 200, wire.NO_STORE, "text/csv; charset=utf-8")
    return page_of_forms(template, request, **members, **values)


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """With a byte order mark, for spreadsheets; no cell that one would take for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    if rows:
        writer.writerow(rows[0])
        writer.writerows(map(_cells, rows))
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cells(row: Mapping[str, Any]) -> Iterable[str]:
    return (_cell(value) for value in row.values())


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else msgspec.json.encode(value).decode()
