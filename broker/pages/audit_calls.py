"""/audit/calls/{index}: one call whole, and its people's masked names to whoever writes down why.

Also /audit/entries/{index}, any entry as it stands, and /audit/receipts/{index}, the proof of it as a file.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.errors import NotInLog
from audit.proofs import receipts
from broker.api import wire
from broker.auditing.calls import Call, find_call
from broker.auditing.looking import look, read_reason
from broker.auditing.replay import acting_refs, masked_names, replayed
from broker.exchange import receipt_members
from broker.names import Names
from broker.own_entries import entries, read_index
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.staff.roles import Role
from policies.refusals import Code, Refused

router = APIRouter(prefix="/audit", tags=["auditors"], route_class=for_roles(Role.AUDITOR))


@router.get("/calls/{index}")
async def replay(request: Request, index: str) -> Response:
    """The call that this entry belongs to; who it is about stands as a short reference."""
    return await _replay(request, index, "replay", reason="")


@router.post("/calls/{index}")
async def unmask(request: Request, index: str) -> Response:
    """`reason`: the same with the first letter of each name, and with what the notice quotes. Never an address."""
    reason = read_reason((await wire.read_fields(request)).get("reason", ""))
    return await _replay(request, index, "unmask", reason=reason)


@router.get("/entries/{index}")
async def read_entry(request: Request, index: str) -> Response:
    """One entry as it stands in the log."""
    broker, me, at = wire.broker_of(request), staff_of(request).member, read_index(index)

    def work(connection: Connection) -> tuple[Mapping[str, Any], Names]:
        found = entries(connection, [at]).get(at)
        if found is None:
            raise Refused(Code.NOT_FOUND)
        return found, names_of(request, connection, broker.catalogue)

    entry, names = await broker.storage.read(work)
    await look(broker.storage, me, "entry", filters={"entry": str(at)}, entries=1)
    text = json.dumps(entry["body"], ensure_ascii=False, indent=2)
    values = {"names": names, "text": text}
    return view(request, "audit_entry.html", {"entry": entry}, [_row(entry)], staff=me, **values)


@router.get("/receipts/{index}")
async def read_receipt(request: Request, index: str) -> Response:
    """The entry's exact bytes and the proof that they are in the log, as everybody else's receipts are."""
    broker, me, at = wire.broker_of(request), staff_of(request).member, read_index(index)
    try:
        receipt = await broker.storage.read(lambda connection: receipts(connection, [at])[at])
    except NotInLog as error:
        raise Refused(Code.NOT_FOUND) from error
    await look(broker.storage, me, "receipt", filters={"entry": str(at)}, entries=1)
    headers = wire.NO_STORE | {"Content-Disposition": f'attachment; filename="receipt-{at}.json"'}
    return Response(msgspec.json.encode(receipt_members(receipt)), 200, headers, "application/json")


async def _replay(request: Request, index: str, what: str, *, reason: str) -> Response:
    broker, me, at = wire.broker_of(request), staff_of(request).member, read_index(index)

    def work(connection: Connection) -> tuple[Call, dict[str, Any], Mapping[str, str], Names]:
        call = find_call(connection, at)
        refs = [*call.people, *acting_refs(call)]
        masks = masked_names(connection, broker.keys.subjects, refs) if reason else {}
        told = replayed(connection, call, unmasked=bool(reason))
        return call, told | {"people": _people(refs, masks)}, masks, names_of(request, connection, broker.catalogue)

    call, members, masks, names = await broker.storage.read(work)
    number = len(members["timeline"])
    await look(broker.storage, me, what, filters={"entry": str(at)}, entries=number, reason=reason, people=call.people)
    values = {"names": names, "index": at, "masks": masks, "unmasked": bool(reason)}
    values |= {"refusal_reasons": members["reasons"], "asked_items": members["items"]}
    return view(request, "audit_call.html", members, [_item_row(one) for one in members["items"]], staff=me, **values)


def _people(refs: list[str], masks: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"person": ref} | ({"name": masks[ref]} if masks else {}) for ref in dict.fromkeys(refs)]


def _item_row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: " ".join(value) if isinstance(value, list) else value for name, value in one.items()}


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    body = json.dumps(entry["body"], ensure_ascii=False)
    return {"index": entry["index"], "time": entry["time"], "event": entry["event"], "body": body}
