"""/audit/packages: one signed evidence package of a call, a case or a person, for whoever writes down why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker.api import wire
from broker.auditing.calls import Entry, entries_of_case, entries_of_person, find_call
from broker.auditing.looking import look, read_reason
from broker.auditing.packages import AT_MOST, package
from broker.auditing.sought import recall
from broker.moments import day_of, rfc3339
from broker.own_entries import read_index
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.staff.roles import Role
from broker.staff.sessions import StaffSession
from policies.identifiers import read_label
from policies.refusals import Code, Refused

router = APIRouter(prefix="/audit/packages", tags=["auditors"], route_class=for_roles(Role.AUDITOR))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a package is of; a person stands in the log as `people` only."""

    about: Mapping[str, Any]
    entries: Sequence[Entry]
    people: Sequence[str] = ()
    filters: Mapping[str, str] = field(default_factory=dict)


@router.get("")
async def read(request: Request) -> Response:
    """What can be taken, and the two keys by which it is verified."""
    broker = wire.broker_of(request)
    names = await broker.storage.read(lambda connection: names_of(request, connection, broker.catalogue))
    members = {"log_key": broker.keys.log.vkey, "signer": broker.keys.issuer.public.kid}
    values = {"requesters": sorted(names.requesters), "names": names}
    return view(request, "audit_packages.html", members, [members], staff=staff_of(request).member, **values)


@router.post("")
async def take(request: Request) -> Response:
    """`kind` is `call` (with `index`), `case` (`requester`, `case`) or `person` (`who`, of a search); and `reason`."""
    broker, session = wire.broker_of(request), staff_of(request)
    fields = await wire.read_fields(request)
    reason = read_reason(fields.get("reason", ""))
    taken = await broker.storage.read(lambda connection: _taken(connection, session, fields))
    number = len(taken.entries)
    if not number:
        raise Refused(Code.NOT_FOUND)
    if number > AT_MOST:
        raise Refused(Code.TOO_LARGE)
    filters = {"kind": taken.about["kind"], **taken.filters}
    await look(
        broker.storage, session.member, "export", filters=filters, entries=number, reason=reason, people=taken.people
    )
    now = broker.now()
    said = {"issuer": broker.settings.issuer, "taken_by": session.member.number, "taken_at": rfc3339(int(now))}
    said["reason"] = reason
    indexes = [entry["index"] for entry in taken.entries]
    archive = await broker.storage.read(lambda connection: package(connection, broker.keys, indexes, taken.about, said))
    name = f"evidence-{taken.about['kind']}-{day_of(now).isoformat()}-{indexes[-1]}.zip"
    headers = wire.NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(archive, 200, headers, "application/zip")


def _taken(connection: Connection, session: StaffSession, fields: Mapping[str, str]) -> Taken:
    kind = fields.get("kind", "")
    if kind == "call":
        call = find_call(connection, read_index(fields.get("index", "")))
        about = {"kind": kind, "requester": call.body["requester"], "case": call.body["case"]}
        about |= {"call": call.body.get("call", ""), "exchange": call.body["exchange"]}
        return Taken(about, call.timeline, call.people, {"entry": fields["index"]})
    if kind == "case":
        requester, case = (_label(fields, name) for name in ("requester", "case"))
        found = entries_of_case(connection, requester, case, AT_MOST + 1)
        named = {"requester": requester, "case": case}
        return Taken({"kind": kind, **named}, found, filters=named)
    if kind == "person":
        ref = recall(connection, session, fields.get("who", "")).subject_ref
        return Taken({"kind": kind, "person": ref}, entries_of_person(connection, ref, AT_MOST + 1), [ref])
    raise Refused(Code.INVALID_REQUEST, member="kind")


def _label(fields: Mapping[str, str], name: str) -> str:
    try:
        text = read_label(fields.get(name, ""))
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=name) from error
    if not text:
        raise Refused(Code.INVALID_REQUEST, member=name)
    return text
