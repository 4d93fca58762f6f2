"""The kinds that answer at once, as routes of the bench's office: one item for each kind, and each as plain JSON."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import sqlalchemy

from bench.office import NUMBER, known_numbers, record_of
from policies.vocabulary import Field, FieldKind, Item

PLAIN: Final = "http, JSON"
OVER_HTTP: Final = {
    PLAIN: "real_estate_registration",
    "http, form": "hpf_remote_account",
    "http, XML": "household_register",
    "soap": "hpf_person_account",
}
SQLITE: Final = {"sql, SQLite": "deed_tax"}
OVER_SERVERS: Final = {"sql, PostgreSQL": "new_house_contract", "sql, MariaDB": "resale_house_contract"}

AS_OF: Final = "sjgxsj"
LOG: Final = "call_log"
_NOTED: Final = ("call", "requester", "operator", "matter", "case", "consent")
_SPELLINGS: Final = {FieldKind.TEXT: "text", FieldKind.MONEY: "fen"}
_ANSWER: Final = {"status": {"at": "code", "success": ["00"]}}


def write_routes(file: Path, routes: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write a routes file: by item its one route; return it."""
    items = [{"item": item, "routes": [route]} for item, route in routes.items()]
    file.write_text(json.dumps({"items": items}, ensure_ascii=False), encoding="utf-8")
    return file


def http_route(kind: str, item: Item, port: int) -> dict[str, Any]:
    """An item asked of the office over HTTP in one of OVER_HTTP's kinds."""
    address = f"http://127.0.0.1:{port}"
    params = {name: f"{{param.{name}}}" for name in item.parameters}
    asked = {NUMBER: "{person.id_number}", **params}
    document = "<ask>" + "".join(f"<{name}>{value}</{name}>" for name, value in asked.items()) + "</ask>"
    as_json = {**_ANSWER, "format": "json", "list_at": "rows"}
    as_xml = {**_ANSWER, "format": "xml", "list_at": "rows.row"}
    operation = '<q:ask xmlns:q="urn:office"><xml>{package}</xml></q:ask>'
    request, answer = {
        PLAIN: ({"method": "POST", "url": f"{address}/json/{item.id}", "json": asked}, as_json),
        "http, form": ({"method": "POST", "url": f"{address}/form/{item.id}", "form": asked}, as_json),
        "http, XML": ({"method": "POST", "url": f"{address}/xml/{item.id}", "xml": document}, as_xml),
        "soap": (
            {"url": f"{address}/soap/{item.id}", "action": "ask", "operation": operation, "package": document},
            as_xml,
        ),
    }[kind]
    route = {**_route(kind, item), "request": request, "answer": answer}
    return {**route, "kind": "soap", "result_at": "askResponse.return"} if kind == "soap" else {**route, "kind": "http"}


def sql_route(kind: str, item: Item, url: str, log_url: str) -> dict[str, Any]:
    """An item read from the view that `fill` or `sqlite_files` made."""
    conditions = [{"param": name, "column": name, "compare": "equal"} for name in item.parameters]
    log = {"url": log_url, "table": LOG, **{name: f"{name}_" for name in _NOTED}}
    return {
        **_route(kind, item),
        "kind": "sql",
        "url": url,
        "view": item.id,
        "asked_number": NUMBER,
        "as_of": AS_OF,
        "conditions": conditions,
        "call_log": log,
    }


def manual_route(item: Item) -> dict[str, Any]:
    """An item that one of the department's people looks up and types."""
    records = {"person": "person", "fields": _fields(item)}
    return {**_route("manual", item), "kind": "manual", "records": records}


def fill(url: str, item: Item) -> None:
    """Make a department's table and its log of calls on a database server."""
    engine = sqlalchemy.create_engine(url)
    metadata = sqlalchemy.MetaData()
    names = [*record_of(item, ""), AS_OF]
    columns = [sqlalchemy.Column(name, sqlalchemy.String(200), index=name == NUMBER) for name in names]
    table = sqlalchemy.Table(item.id, metadata, *columns)
    sqlalchemy.Table(LOG, metadata, *(sqlalchemy.Column(f"{name}_", sqlalchemy.String(200)) for name in _NOTED))
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.insert(table), _rows(item))
    engine.dispose()


def sqlite_files(folder: Path, item: Item) -> tuple[str, str]:
    """The URLs of a department's file and of its log of calls, kept apart as the test departments keep them."""
    data, log = (f"sqlite:///{folder / name}" for name in ("data.sqlite", "calls.sqlite"))
    for url in (data, log):
        fill(url, item)
    with closing(sqlite3.connect(folder / "calls.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    return data, log


def _rows(item: Item) -> list[dict[str, str]]:
    return [{**record_of(item, number), AS_OF: "2026-11-26 08:00:00+08:00"} for number in known_numbers()]


def _route(kind: str, item: Item) -> dict[str, Any]:
    name = f"{item.id}-{kind}".lower().replace("_", "-").replace(", ", "-")
    records = {"person": NUMBER, "fields": _fields(item)}
    return {"name": name, "deadline_seconds": 10, "concurrency": 16, "records": records}


def _fields(item: Item) -> dict[str, dict[str, Any]]:
    return {name: {"from": name, "as": _spelling(field), **_words(field)} for name, field in item.fields.items()}


def _spelling(field: Field) -> str:
    return _SPELLINGS.get(field.kind, str(field.kind))


def _words(field: Field) -> dict[str, Any]:
    return {"yes": ["true"], "no": ["false"]} if field.kind is FieldKind.FLAG else {}
