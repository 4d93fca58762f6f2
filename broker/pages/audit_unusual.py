"""/audit/unusual: what is worth a closer look in the last month, or in a month that is named."""

from dataclasses import asdict
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from broker.api import wire
from broker.auditing.filters import read_filters
from broker.auditing.looking import look
from broker.auditing.unusual import DETECTORS, unusual
from broker.auditing.unusual_rows import TooMany, read_month
from broker.names import Names
from broker.pages.rendering import names_of
from broker.pages.staff_gate import for_roles, staff_of
from broker.pages.twins import view
from broker.staff.roles import Role
from policies.refusals import Code, Refused

router = APIRouter(prefix="/audit/unusual", tags=["auditors"], route_class=for_roles(Role.AUDITOR))

LAST: Final = 31 * 86_400 * 1_000_000


@router.get("")
async def read(request: Request) -> Response:
    """`?month=2026-11`, by default the last 31 days: every list, with the thresholds that made it."""
    broker, me = wire.broker_of(request), staff_of(request).member
    if not set(request.query_params) <= {"month", "lang", "form"}:
        raise Refused(Code.INVALID_REQUEST, member="query")
    filters = read_filters(request.query_params, broker.keys.subjects)
    limits, now = broker.settings.unusual, int(broker.now() * 1_000_000)

    def work(connection: Connection) -> tuple[list[dict[str, Any]], Names]:
        wanted = filters.wanted("")
        since = wanted.since if wanted.since is not None else now - LAST
        before = wanted.before if wanted.before is not None else now
        month = read_month(connection, since, min(before, now), now, broker.settings.workdays)
        return [asdict(one) for one in unusual(month, limits)], names_of(request, connection, broker.catalogue)

    try:
        findings, names = await broker.storage.read(work)
    except TooMany as error:
        raise Refused(Code.TOO_LARGE) from error
    await look(broker.storage, me, "unusual", filters=filters.recorded(), entries=len(findings))
    members = {"filters": dict(filters.given), "limits": msgspec.to_builtins(limits), "findings": findings}
    rows = [one | {"entries": " ".join(map(str, one["entries"]))} for one in findings]
    return view(request, "audit_unusual.html", members, rows, staff=me, names=names, kinds=list(DETECTORS))
