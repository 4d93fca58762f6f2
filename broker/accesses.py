"""Who looked at a person's data: the exchanges that concern her, and what their requester said became of each.

All of it with its entry and the proof of it.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from audit import events, tables
from audit.proofs import receipts
from audit.search import Wanted, newest
from broker.exchange import receipt_members

AT_ONCE: Final = 100
_ENDINGS: Final = (
    events.ExchangeReleased.NAME,
    events.ExchangeWithheld.NAME,
    events.ExchangeInterrupted.NAME,
    events.ExchangeRefused.NAME,
)
_AFTERWARDS: Final = (events.ExchangeViewed.NAME, events.ExchangeDecided.NAME)


def accesses_of(connection: Connection, subject_ref: str) -> list[dict[str, Any]]:
    """The newest hundred calls about this person, one each: what was asked, why, and what came of it."""
    found = newest(connection, Wanted(subject_ref=subject_ref, events=_ENDINGS), AT_ONCE)
    proven = receipts(connection, found)
    parsed = {idx: json.loads(receipt.entry) for idx, receipt in proven.items()}
    admissions = _bodies(
        connection, [entry["body"]["admitted"] for entry in parsed.values() if "admitted" in entry["body"]]
    )
    told = _afterwards(connection, subject_ref)
    return [
        _members(entry, _asked(admissions, entry, subject_ref), subject_ref)
        | {"afterwards": told.get(entry["body"].get("call"), [])}
        | receipt_members(proven[idx])
        for idx, entry in sorted(parsed.items(), reverse=True)
    ]


def _afterwards(connection: Connection, subject_ref: str) -> Mapping[str, list[dict[str, Any]]]:
    """By call, who viewed it and how it was decided, in order; of everything together the newest hundred."""
    found = newest(connection, Wanted(subject_ref=subject_ref, events=_AFTERWARDS), AT_ONCE)
    told = defaultdict(list)
    for _, receipt in sorted(receipts(connection, found).items()):
        entry = json.loads(receipt.entry)
        members = {name: entry[name] for name in ("index", "time", "event")}
        said = {"operator": entry["body"]["operator"], "decision": entry["body"].get("decision")}
        told[entry["body"]["call"]].append(members | said | receipt_members(receipt))
    return told


def _bodies(connection: Connection, indexes: Sequence[int]) -> dict[int, bytes]:
    entry = tables.entry
    rows = connection.execute(select(entry.c.idx, entry.c.body).where(entry.c.idx.in_(indexes)))
    return {row.idx: row.body for row in rows}


def _asked(admissions: Mapping[int, bytes], entry: Mapping[str, Any], subject_ref: str) -> dict[str, dict[str, Any]]:
    raw = admissions.get(entry["body"].get("admitted", -1))
    items = json.loads(raw)["body"]["items"] if raw is not None else []
    return {item["item"]: item for item in items if item["subject_ref"] == subject_ref}


def _members(entry: Mapping[str, Any], asked: Mapping[str, Mapping[str, Any]], subject_ref: str) -> dict[str, Any]:
    body = entry["body"]
    outcomes = {
        result["item"]: result["outcome"] for result in body.get("results", []) if result["subject_ref"] == subject_ref
    }
    return {
        "index": entry["index"],
        "time": entry["time"],
        "event": entry["event"],
        "requester": body["requester"],
        "operator": body.get("operator"),
        "matter": body["matter"],
        "case": body["case"],
        "code": body.get("code"),
        "items": [
            {
                "item": name,
                "department": item["department"],
                "fields": item["fields"],
                "purpose": item["purpose"],
                "outcome": outcomes.get(name),
            }
            for name, item in asked.items()
        ],
    }
