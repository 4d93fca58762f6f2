"""How far each part of a bundle is: what was agreed, what was found and what was not, and why; for its person only."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from audit import events
from audit.search import Wanted, newest
from broker.bundles import parts_in_order, status_of
from broker.login import Session
from broker.moments import rfc3339
from broker.names import Names
from broker.offers import left_out_members, mine
from broker.own_entries import entries
from broker.wiring import Broker
from consent import bundles, grants
from consent.asking import AuthorizationRequest
from consent.bundles import AskedBundle
from consent.token import read_claims
from policies.refusals import Code, Refused

RELEASES: Final = 100
"""Of one part, the newest that are looked at: a consent permits fewer."""


def my_bundle(
    connection: Connection, broker: Broker, session: Session, bundle: str, *, english: bool
) -> dict[str, Any]:
    """Raises Refused(not_found | not_the_subject)."""
    asked = bundles.find(connection, bundle)
    if asked is None:
        raise Refused(Code.NOT_FOUND)
    parts = parts_in_order(connection, broker, asked)
    for part in parts:
        mine(connection, broker, session, part.id)
    return _members(connection, broker, asked, parts, Names.read(connection, broker.catalogue, english=english))


def my_bundles(connection: Connection, broker: Broker, session: Session, *, english: bool) -> list[dict[str, Any]]:
    """Every bundle with a part that concerns me, the newest first, without what was found."""
    names = Names.read(connection, broker.catalogue, english=english)
    found = [bundles.find(connection, one) for one in bundles.bundles_of(connection, session.subject_ref)]
    return [
        _head(broker, asked, parts_in_order(connection, broker, asked), names) for asked in found if asked is not None
    ]


def _members(
    connection: Connection, broker: Broker, asked: AskedBundle, parts: Sequence[AuthorizationRequest], names: Names
) -> dict[str, Any]:
    return _head(broker, asked, parts, names) | {
        "parts": [_part(connection, broker, part, names) for part in parts],
        "left_out": left_out_members(names, asked),
    }


def _head(broker: Broker, asked: AskedBundle, parts: Sequence[AuthorizationRequest], names: Names) -> dict[str, Any]:
    return {
        "id": asked.id,
        "bundle": {"id": asked.bundle, "name": names.bundle(asked.bundle)},
        "requester": {"id": asked.requester, "name": names.requester(asked.requester)},
        "case": asked.case,
        "status": status_of(parts, broker.now()),
        "expires_at": rfc3339(asked.ticket_expires),
    }


def _part(connection: Connection, broker: Broker, part: AuthorizationRequest, names: Names) -> dict[str, Any]:
    granted = grants.find_granted(connection, *part.consent) if part.consent is not None else None
    agreed = (
        {detail.item for detail in read_claims(grants.payload_of(granted.token)).authorization_details}
        if granted is not None
        else set()
    )
    found = _outcomes(connection, part) if granted is not None else {}
    return {
        "id": part.id,
        "requester": {"id": part.requester, "name": names.requester(part.requester)},
        "matter": {"id": part.matter, "name": names.matter(part.matter)},
        "party": part.party,
        "status": part.state(broker.now()),
        "consent": {"jti": granted.jti, "status": granted.state(broker.now())} if granted is not None else None,
        "items": [
            {
                "item": one.item,
                "name": names.item(one.item),
                "department": names.department(broker.catalogue.items[one.item].department),
                "agreed": one.item in agreed,
                **found.get(one.item, {"outcome": None, "at": None}),
            }
            for one in part.items
            if one.item in broker.catalogue.items
        ],
    }


def _outcomes(connection: Connection, part: AuthorizationRequest) -> Mapping[str, dict[str, str]]:
    """By item, what the newest release of this part said of it, and when."""
    wanted = Wanted(
        subject_ref=part.subject_ref or "",
        requester=part.requester,
        case=part.case,
        matter=part.matter,
        events=(events.ExchangeReleased.NAME,),
    )
    found: dict[str, dict[str, str]] = {}
    for _, entry in sorted(entries(connection, newest(connection, wanted, RELEASES)).items()):
        for result in entry["body"]["results"]:
            if (result["subject_ref"], result["party"]) == (part.subject_ref, part.party):
                found[result["item"]] = {"outcome": result["outcome"], "at": entry["time"]}
    return found
