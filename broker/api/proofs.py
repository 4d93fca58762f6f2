"""GET /v1/log/proof: that an index is in the log, or that the log continues the tree you know. Hashes only, public."""

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response

from audit.checkpoint import format_proof
from audit.errors import NotInLog
from audit.proofs import Consistency, Inclusion, consistency, inclusion
from broker.api import wire
from broker.storage import Storage
from policies.refusals import Code, Refused

router = APIRouter(tags=["log"])


@router.get("/v1/log/proof")
async def proof(request: Request) -> Response:
    """`?index=N`, with `&size=S` in the tree of that size, or `?from=M`. Hashes are base64, as in a tlog-proof.

    Refused with the first parameter at fault: invalid_request where it is malformed, not_found beyond the log.
    """
    numbers = _read_numbers(request)
    storage = wire.broker_of(request).storage
    if numbers.keys() == {"from"}:
        members = await _consistency(storage, numbers["from"])
    elif "index" in numbers and "from" not in numbers:
        members = await _inclusion(storage, numbers["index"], numbers.get("size"))
    else:
        raise Refused(Code.INVALID_REQUEST, member="from" if "from" in numbers else "index")
    return wire.reply(members)


def _read_numbers(request: Request) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for name, text in request.query_params.multi_items():
        if name not in {"index", "size", "from"}:
            raise Refused(Code.INVALID_REQUEST, member="query")
        if name in numbers or not re.fullmatch(r"0|[1-9][0-9]{0,17}", text):
            raise Refused(Code.INVALID_REQUEST, member=name)
        numbers[name] = int(text)
    return numbers


async def _consistency(storage: Storage, old: int) -> dict[str, Any]:
    if old == 0:  # every tree continues the empty one: there is nothing to prove
        raise Refused(Code.INVALID_REQUEST, member="from")
    try:
        proven: Consistency = await storage.read(lambda connection: consistency(connection, old))
    except NotInLog as error:
        raise Refused(Code.NOT_FOUND, member="from") from error
    return {
        "from": old,
        "size": proven.size,
        "path": _hashes(proven.path),
        "checkpoint": proven.checkpoint.decode(),
    }


async def _inclusion(storage: Storage, index: int, size: int | None) -> dict[str, Any]:
    try:
        proven: Inclusion = await storage.read(lambda connection: inclusion(connection, index, size))
    except NotInLog as error:
        raise Refused(Code.NOT_FOUND, member="index" if size is None or index >= size else "size") from error
    members: dict[str, Any] = {
        "index": index,
        "size": proven.size,
        "leaf_hash": b64encode(proven.leaf_hash).decode(),
        "path": _hashes(proven.path),
    }
    if proven.checkpoint is not None:
        members["checkpoint"] = proven.checkpoint.decode()
        members["proof"] = format_proof(index, proven.path, proven.checkpoint)
    return members


def _hashes(path: Iterable[bytes]) -> list[str]:
    return [b64encode(node).decode() for node in path]
