"""/v1/log/entries and /v1/log/export: the log itself, for auditors; that they read it is in it."""

import io
import re
import zipfile
from base64 import b64encode
from collections.abc import AsyncIterator
from functools import partial
from itertools import islice
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection, select

from audit import tables, tiles
from audit.batch import Head, read_head
from audit.search import Cursor
from broker.api import wire
from broker.auditing.filters import mark, read_mark
from broker.auditing.looking import look
from broker.pages.staff_gate import for_roles, staff_of
from broker.staff.roles import Role
from broker.wiring import Broker
from policies.refusals import Code, Refused

router = APIRouter(prefix="/v1/log", tags=["auditors"], route_class=for_roles(Role.AUDITOR))

AT_ONCE: Final = 100
AT_MOST: Final = 500
FILES_AT_ONCE: Final = 32
"""Read in one transaction: a long one would keep the database from tidying up."""
_LIMIT: Final = re.compile(r"[1-9][0-9]{0,2}")
_ENTRIES: Final = {"what": "entries"}
"""What a cursor of this list is good for."""


@router.get("/entries")
async def read_entries(request: Request) -> Response:
    """`?after=CURSOR&limit=N`: entries in order, each its exact bytes in base64, and the newest checkpoint.

    The answer's `cursor` is always there, also where there was nothing more.
    """
    broker, query = wire.broker_of(request), request.query_params
    if not set(query) <= {"after", "limit"}:
        raise Refused(Code.INVALID_REQUEST, member="query")
    limit = query.get("limit", str(AT_ONCE))
    if not _LIMIT.fullmatch(limit) or int(limit) > AT_MOST:
        raise Refused(Code.INVALID_REQUEST, member="limit")
    keys = broker.keys.subjects
    first = read_mark(keys, _ENTRIES, query["after"]).below if query.get("after") else 0
    found, checkpoint = await broker.storage.read(lambda connection: _entries(connection, first, int(limit)))
    await look(broker.storage, staff_of(request).member, "entries", filters={"from": str(first)}, entries=len(found))
    cursor = mark(keys, _ENTRIES, Cursor(first + len(found)))
    return wire.reply({"entries": found, "cursor": cursor, "checkpoint": checkpoint})


@router.get("/export")
async def export(request: Request) -> Response:
    """The whole log as of now: a zip of the tlog-tiles folder that `audit/verify.py` reads, its checkpoint last."""
    broker = wire.broker_of(request)
    await look(broker.storage, staff_of(request).member, "export", filters={"kind": "log"})
    head = await broker.storage.read(read_head)
    headers = wire.NO_STORE | {"Content-Disposition": f'attachment; filename="log-{head.frontier.size}.zip"'}
    return StreamingResponse(_written(broker, head), headers=headers, media_type="application/zip")


def _entries(connection: Connection, first: int, limit: int) -> tuple[list[dict[str, Any]], str]:
    entry = tables.entry
    rows = connection.execute(
        select(entry.c.idx, entry.c.body).where(entry.c.idx >= first).order_by(entry.c.idx).limit(limit)
    )
    found = [{"index": row.idx, "entry": b64encode(row.body).decode()} for row in rows]
    return found, read_head(connection).checkpoint.decode()


class _Sink(io.RawIOBase):
    """What an archive writes into, to be taken out piece by piece; nothing can go back in it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, octets: Any) -> int:
        self._held += octets
        return len(octets)

    def taken(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


async def _written(broker: Broker, head: Head) -> AsyncIterator[bytes]:
    """Entries never change, so each part may be read by itself; memory stays bounded."""
    size, sink = head.frontier.size, _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        names = tiles.pieces(size)
        while some := list(islice(names, FILES_AT_ONCE)):
            for path, octets in await broker.storage.read(partial(_files, size, some)):
                archive.writestr(path, octets)
            yield sink.taken()
        for path, octets in await broker.storage.read(lambda connection: _closing(connection, broker, head)):
            archive.writestr(path, octets)
    yield sink.taken()


def _files(size: int, some: list[tuple[tiles.TileLevel, int, int]], connection: Connection) -> list[tuple[str, bytes]]:
    return [(tiles.tile_path(*one), tiles.piece(connection, size, *one)) for one in some]


def _closing(connection: Connection, broker: Broker, head: Head) -> list[tuple[str, bytes]]:
    files = tiles.closing_files(connection, broker.keys.log.vkey, head.origin, head.frontier.size, head.checkpoint)
    return list(files)
