"""/static/{name}: the desk's own style and script, and of the broker's pages the common look."""

import hashlib
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from broker.desk.refusals import Refused, Why

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_COMMON: Final = ("style.css", "forms.css", "bridge.svg")


async def read(request: Request) -> Response:
    """Always asked for again, so that a page never runs with half of an older version."""
    name = request.path_params["name"]
    if name not in _files():
        raise Refused(Why.NOT_FOUND)
    octets, etag = _files()[name]
    headers = {"Cache-Control": "no-cache", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(octets, headers=headers, media_type=_TYPES[PurePath(name).suffix])


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Every file there is, by name: what a caller writes is never a path."""
    common = resources.files("broker.pages").joinpath("static")
    own = resources.files("broker.desk").joinpath("static")
    found = [*(common.joinpath(name) for name in _COMMON), *own.iterdir()]
    octets = {file.name: file.read_bytes() for file in found}
    return {name: (read, f'"{hashlib.sha256(read).hexdigest()[:32]}"') for name, read in octets.items()}
