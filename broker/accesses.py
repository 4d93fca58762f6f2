"""Who looked at a person's data: the calls that concern her, and what their requester said became of each.

All of it with its entry and the proof of it.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from audit import events
from audit import tables as audit_tables
from audit.proofs import receipts
from audit.search import Cursor, Wanted, following
from broker import tables
from broker.exchange import receipt_members
from broker.interruption import ADMITTED
from broker.notices import ending_of
from broker.own_entries import BEYOND, entries, own_entry
from broker.worth_telling import is_look_in_vain, newest_told
from consent import grants
from policies.refusals import Code, Refused

AT_ONCE: Final = 100
"""Calls a page, on the wire."""
_AFTERWARDS_AT_MOST: Final = 500
_ENDINGS: Final[Mapping[str, str]] = {
    events.ExchangeReleased.NAME: "given",
    events.ExchangeWithheld.NAME: "withheld",
    events.ExchangeInterrupted.NAME: "interrupted",
    events.ExchangeRefused.NAME: "refused",
    events.ExchangeAdmitted.NAME: "running",
}
"""By event, what came of the call; of a release her own items decide."""
_ENDED: Final = tuple(name for name, ending in _ENDINGS.items() if ending != "running")
_AFTERWARDS: Final = (events.ExchangeViewed.NAME, events.ExchangeDecided.NAME)


@dataclass(frozen=True, slots=True)
class Page:
    """Calls on the wire, the newest first; `following` is the last one's index where there are more."""

    accesses: Sequence[dict[str, Any]]
    following: int | None


def accesses_of(connection: Connection, subject_ref: str, cursor: Cursor | None = None, limit: int = AT_ONCE) -> Page:
    """One page of calls about this person: what was asked, why, and what came of it. The first has those under way."""
    found = newest_told(connection, subject_ref, _ENDED, limit, cursor)
    running = _running(connection, subject_ref) if cursor is None else []
    return Page(
        _accesses(connection, subject_ref, sorted([*found.said, *running], reverse=True)),
        found.following,
    )


def access_of(connection: Connection, subject_ref: str, index: int) -> dict[str, Any]:
    """The one call that this entry of hers ends, or began, or in which somebody looked in vain for late answers.

    Raises Refused(not_found).
    """
    entry = own_entry(connection, subject_ref, index)
    if entry["event"] not in _ENDINGS:
        raise Refused(Code.NOT_FOUND)
    if is_look_in_vain(entry, subject_ref):
        entry = entries(connection, [entry["body"]["admitted"]])[entry["body"]["admitted"]]
    found = _ended(connection, subject_ref, entry) if entry["event"] == events.ExchangeAdmitted.NAME else index
    return _accesses(connection, subject_ref, [found])[0]


def own_items(body: Mapping[str, Any], subject_ref: str, name: str = "results") -> list[Mapping[str, Any]]:
    """Of a call's entry, the lines that are this person's: her results, or with `items` what was asked of her."""
    return [one for one in body.get(name, []) if one["subject_ref"] == subject_ref]


def _running(connection: Connection, subject_ref: str) -> Sequence[int]:
    """Admissions of hers that have no ending yet; there are never many, for a call lasts seconds."""
    table, index = tables.exchange, audit_tables.index
    query = (
        select(table.c.admitted)
        .distinct()
        .join(index, index.c.idx == table.c.admitted)
        .where(table.c.status == ADMITTED, index.c.subject_ref == subject_ref)
    )
    return connection.execute(query.limit(AT_ONCE)).scalars().all()


def _ended(connection: Connection, subject_ref: str, admission: Mapping[str, Any]) -> int:
    """The entry that ends this admission, which no collection of late answers does; while it is under way, its own."""
    index: int = admission["index"]
    wanted = Wanted(subject_ref=subject_ref, case=admission["body"]["case"], events=_ENDED)
    said = entries(connection, following(connection, wanted, after=index, below=BEYOND, limit=AT_ONCE))
    ends = (one for one, entry in sorted(said.items()) if _ends(entry["body"], index))
    return next(ends, index)


def _ends(body: Mapping[str, Any], admitted: int) -> bool:
    return body.get("admitted") == admitted and "collects" not in body


def _accesses(connection: Connection, subject_ref: str, indexes: Sequence[int]) -> list[dict[str, Any]]:
    proven = receipts(connection, indexes)
    parsed = {index: json.loads(proven[index].entry) for index in indexes}
    bodies = [entry["body"] for entry in parsed.values()]
    admissions = entries(connection, [body["admitted"] for body in bodies if "admitted" in body])
    told = _afterwards(connection, subject_ref, bodies)
    asked = {
        index: entry["body"] if "admitted" not in entry["body"] else admissions[entry["body"]["admitted"]]["body"]
        for index, entry in parsed.items()
    }
    channels = grants.channels_of(connection, [jti for one in asked.values() for jti in _consents(one, subject_ref)])
    return [
        _members(entry, asked[index], subject_ref)
        | {"channels": sorted({channels[jti] for jti in _consents(asked[index], subject_ref) if jti in channels})}
        | {"afterwards": told.get(entry["body"].get("call"), [])}
        | receipt_members(proven[index])
        for index, entry in parsed.items()
    ]


def _afterwards(
    connection: Connection, subject_ref: str, bodies: Sequence[Mapping[str, Any]]
) -> Mapping[str, list[dict[str, Any]]]:
    """By call, who viewed it and how it was decided, in order; of everything on a page the newest five hundred."""
    index = audit_tables.index
    of_these = index.c.case.in_({body["case"] for body in bodies})
    query = select(index.c.idx).where(index.c.subject_ref == subject_ref, index.c.event.in_(_AFTERWARDS), of_these)
    found = connection.execute(query.order_by(index.c.idx.desc()).limit(_AFTERWARDS_AT_MOST)).scalars().all()
    told = defaultdict(list)
    for _, receipt in sorted(receipts(connection, found).items()):
        entry = json.loads(receipt.entry)
        members = {name: entry[name] for name in ("index", "time", "event")}
        said = {"operator": entry["body"]["operator"], "decision": entry["body"].get("decision")}
        told[entry["body"]["call"]].append(members | said | receipt_members(receipt))
    return told


def _consents(asked: Mapping[str, Any], subject_ref: str) -> list[str]:
    """The consents of hers that a call rested on, by `jti`; a refusal names people and consents side by side."""
    people = asked.get("subject_refs") or [one["subject_ref"] for one in asked["consents"]]
    return [one["jti"] for one, whose in zip(asked["consents"], people, strict=False) if whose == subject_ref]


def _members(entry: Mapping[str, Any], asked: Mapping[str, Any], subject_ref: str) -> dict[str, Any]:
    body = entry["body"]
    results = {result["item"]: result for result in own_items(body, subject_ref)}
    outcomes = {item: result["outcome"] for item, result in results.items()}
    return {
        "index": entry["index"],
        "time": entry["time"],
        "event": entry["event"],
        "ending": ending_of(list(outcomes.values())) if outcomes else _ENDINGS[entry["event"]],
        "requester": body["requester"],
        "operator": body.get("operator") or asked.get("operator"),
        "matter": body["matter"],
        "case": body["case"],
        "code": body.get("code"),
        "stopped": body.get("stopped", []),
        "items": [
            {
                "item": one["item"],
                "department": one["department"],
                "fields": one["fields"],
                "purpose": one["purpose"],
                "outcome": outcomes.get(one["item"]),
                "answers_at": results.get(one["item"], {}).get("answers_at"),
                "withheld_because": results.get(one["item"], {}).get("withheld_because"),
            }
            for one in own_items(asked, subject_ref, "items")
            if "collects" not in body or not outcomes or one["item"] in outcomes
        ],
    }
