"""/static/{name}: the pages' style sheet, modules and pictures, out of the package and nowhere else."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Final

from fastapi import APIRouter, Request, Response

from policies.refusals import Code, Refused

router = APIRouter(tags=["public"])

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    octets: bytes
    media_type: str
    etag: str


@router.get("/static/{name}")
async def read(request: Request, name: str) -> Response:
    """Always asked for again, so that a page never runs with half of an older version."""
    found = _files().get(name)
    if found is None:
        raise Refused(Code.NOT_FOUND)
    headers = {"Cache-Control": "no-cache", "ETag": found.etag}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.octets, headers=headers, media_type=found.media_type)


@cache
def _files() -> dict[str, StaticFile]:
    """Every file there is, by name: what a caller writes is never a path."""
    folder = resources.files(__package__).joinpath("static")
    return {file.name: _read(file.name, file.read_bytes()) for file in folder.iterdir()}


def _read(name: str, octets: bytes) -> StaticFile:
    return StaticFile(octets, _TYPES[PurePath(name).suffix], f'"{hashlib.sha256(octets).hexdigest()[:32]}"')
