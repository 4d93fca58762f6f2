"""Asking the person: the request at the broker, its link for the screen, and what she answered.

What she signed is verified here with her device's own key before it is believed.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from broker.client import Reply
from broker.desk import tables
from broker.desk.cases import Case, change
from broker.desk.refusals import Refused, Why
from broker.desk.sessions import Session
from broker.desk.wiring import Desk, call
from consent.errors import InvalidKey
from consent.keys import read_jwk
from consent.token import verify_consent
from policies import refusals
from policies.vocabulary import Party

WAITING: Final = frozenset({"pending", "opened"})
AGREED: Final = frozenset({"granted", "partly"})
_STAGE_OF: Final = {
    **dict.fromkeys(WAITING, "asking"),
    **dict.fromkeys(AGREED, "agreed"),
    "declined": "declined",
    "expired": "expired",
    "cancelled": "expired",
}


async def ask(desk: Desk, session: Session, case: Case, items: Sequence[Mapping[str, Any]]) -> None:
    """File the request and keep its link. Raises Refused."""
    case.must_be("started", "declined", "expired")
    reply = await call(desk.client.file(**_filing(session, case, items)))

    def work(connection: Connection) -> None:
        connection.execute(tables.asked.delete().where(tables.asked.c.case == case.number))
        for part in _parts(desk, case, reply):
            connection.execute(insert(tables.asked).values(case=case.number, **part))
        _keep_link(connection, desk, case, reply)

    await desk.store.run(work)


async def renew(desk: Desk, case: Case) -> None:
    """A new code; the old one is dead."""
    case.must_be("asking", "expired")
    reply = await call(desk.client.change(case.request or "", "renew"))
    await desk.store.run(lambda connection: _keep_link(connection, desk, case, reply))


async def leave_for_paper(desk: Desk, case: Case) -> None:
    """The person brings papers instead. What was asked of her is taken back; if she has just answered, that stays."""
    case.must_be("started", "asking", "agreed", "answered", "declined", "expired")
    if case.stage == "asking":
        try:
            await call(desk.client.change(case.request or "", "cancel"))
        except Refused as refused:
            if refused.member not in {"already_decided", "request_expired"}:
                raise
    await desk.store.run(lambda connection: change(connection, case.number, stage="paper", sealed_link=None))


async def look(desk: Desk, case: Case, wait: int = 0) -> str:
    """How the request stands now; what has changed is kept. Raises Refused.

    After a clear no only her own second thought changes anything: she opens it again and agrees.
    """
    if case.request is None or case.stage not in {"asking", "expired", "declined"}:
        return case.request_status or ""
    standing = (await call(desk.client.read(case.request, wait=wait))).members
    status = str(standing["status"])
    if case.stage == "declined" and status not in AGREED:
        return status
    told = await _told(desk, case, standing) if status not in WAITING else []

    def work(connection: Connection) -> None:
        for request, values in told:
            connection.execute(update(tables.asked).where(tables.asked.c.request == request).values(**values))
        stage = _STAGE_OF.get(status, "asking")
        if stage == "agreed" and not any(values.get("sealed_consent") for _, values in told):
            stage = "declined"  # of a bundle, only others' parts were agreed to
        kept = {} if stage in {"asking", "expired"} else {"sealed_link": None}
        change(connection, case.number, stage=stage, request_status=status, **kept)

    if status != case.request_status or told:
        await desk.store.run(work)
    return status


def parts_of(connection: Connection, case: Case) -> list[RowMapping]:
    """Each part of what was asked: a row of `asked`, in the order of filing."""
    rows = connection.execute(select(tables.asked).where(tables.asked.c.case == case.number))
    return [row._mapping for row in rows]  # noqa: SLF001 - SQLAlchemy's own name for it


def _filing(session: Session, case: Case, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    filing: dict[str, Any] = {
        "case": case.number,
        "mode": "counter",
        "operator": session.operator,
        "subject": {"name": case.person.name, "id_number": case.person.id_number},
    }
    if case.bundle:
        return filing | {"bundle": case.matter}
    return filing | {"matter": case.matter, "party": "applicant", "items": list(items)}


def _parts(desk: Desk, case: Case, filed: Reply) -> list[dict[str, Any]]:
    if case.bundle:
        return [
            {
                "request": part["id"],
                "matter": part["matter"],
                "party": part["party"],
                "requester": part["requester"],
                "status": part["status"],
            }
            for part in filed.members["parts"]
        ]
    own = {"matter": case.matter, "party": str(Party.APPLICANT), "requester": desk.settings.requester}
    return [own | {"request": filed.members["id"], "status": "pending"}]


def _keep_link(connection: Connection, desk: Desk, case: Case, reply: Reply) -> None:
    link = {name: reply.members[name] for name in ("consent_url", "user_code")}
    change(
        connection,
        case.number,
        stage="asking",
        request=reply.members["id"],
        request_status=reply.members["status"],
        request_expires=int(datetime.fromisoformat(reply.members["expires_at"]).timestamp()),
        sealed_link=desk.settings.vault.seal(f"link/{case.number}", link),
    )


async def _told(desk: Desk, case: Case, standing: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What became of each part; of our own, with the consent."""
    if not case.bundle:
        return [(str(case.request), _answered(desk, case, str(case.request), standing))]
    told = []
    for part in standing["parts"]:
        own = part["requester"] == desk.settings.requester and part["status"] == "granted"
        members = (await call(desk.client.read(part["id"]))).members if own else part
        told.append((str(part["id"]), _answered(desk, case, str(part["id"]), members)))
    return told


def _answered(desk: Desk, case: Case, request: str, standing: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"status": standing["status"]}
    if "consent" in standing:
        _verify(desk, case, request, standing)
        values |= {
            "granted": json.dumps(standing["granted"]),
            "declined": json.dumps(standing["declined"]),
            "sealed_consent": desk.settings.vault.seal(f"consent/{request}", standing["consent"]),
        }
    return values


def _verify(desk: Desk, case: Case, request: str, standing: Mapping[str, Any]) -> None:
    """Her own device's signature over this request of ours for this case. Raises Refused(broker_refused)."""
    try:
        key = read_jwk(standing["jwk"])
        consent = verify_consent(
            standing["consent"], key_of=lambda _: key, audience=desk.settings.broker, now=desk.now()
        )
    except (refusals.Refused, InvalidKey):
        raise Refused(Why.BROKER, str(refusals.Code.CONSENT_MISMATCH)) from None
    claims = consent.claims
    if (claims.client_id, claims.case, claims.req) != (desk.settings.requester, case.number, request):
        raise Refused(Why.BROKER, str(refusals.Code.CONSENT_MISMATCH))
