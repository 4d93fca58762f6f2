"""One call whole, on the wire: what was shown and signed, what decided, what left, and what became of it.

Whatever still stands in a table is held against the digest that the log has of it: `proven`, `gone` or, which nobody
should ever read, `differs`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from audit import events
from broker.auditing.calls import Call, Entry, Ground
from consent import asking, evidence, grants
from consent.notice import masked
from consent.subjects import SubjectKeys, read_subjects

PROVEN = "proven"
GONE = "gone"
DIFFERS = "differs"


def replayed(connection: Connection, call: Call, *, unmasked: bool = False) -> dict[str, Any]:
    """Everything but who the people are."""
    body = call.body
    return {
        "call": body.get("call"),
        "exchange": body["exchange"],
        "refused": call.refused,
        "requester": body["requester"],
        "operator": body["operator"]["id"],
        "desk": body["operator"]["desk"],
        "matter": body["matter"],
        "matter_version": body.get("matter_version"),
        "case": body["case"],
        "key": body["kid"],
        "rules": body.get("rules"),
        "catalogue": body.get("catalogue"),
        "code": body.get("code"),
        "reasons": body.get("reasons", []),
        "consents": [_consent(connection, one, unmasked=unmasked) for one in call.consents],
        "items": _items(call),
        "timeline": [_step(entry) for entry in call.timeline],
        "whole": call.whole,
    }


def masked_names(connection: Connection, keys: SubjectKeys, refs: Sequence[str]) -> Mapping[str, str]:
    """By reference, the first letter of each name; an erased person's is nowhere any more."""
    found = read_subjects(connection, keys, refs)
    return {ref: f"{found[ref].name[:1]}**" if ref in found else "" for ref in refs}


def acting_refs(call: Call) -> list[str]:
    """Who signed for somebody else in it."""
    granted = [one.granted for one in call.consents]
    return [one["body"]["actor_ref"] for one in granted if one is not None and one["body"]["actor_ref"]]


def _consent(connection: Connection, ground: Ground, *, unmasked: bool) -> dict[str, Any]:
    spent, entry = ground.spent, ground.granted
    told: dict[str, Any] = {
        "party": spent.get("party"),
        "person": ground.subject_ref,
        "device_key": spent["iss"],
        "jti": spent["jti"],
        "use": spent.get("use"),
        "left": spent.get("left"),
        "entry": None if entry is None else entry["index"],
        "ended": [_step(one) for one in ground.entries if one["event"] == events.ConsentWithdrawn.NAME],
    }
    return told if entry is None else told | _granted(connection, entry["body"], unmasked=unmasked)


def _granted(connection: Connection, body: Mapping[str, Any], *, unmasked: bool) -> dict[str, Any]:
    consent = body["consent"]["iss"], body["consent"]["jti"]
    held = grants.find_granted(connection, *consent)
    asked = asking.find(connection, body["request"])
    text = asked.notice_text if asked is not None else None
    shown = text if text is None or unmasked else masked(text)
    return {
        "channel": body["channel"],
        "assurance": body["assurance"],
        "uses": body["uses"],
        "expires": body["expires"],
        "actor": body["actor_ref"],
        "acting_evidence_sha256": body["acting_evidence_sha256"],
        "token_sha256": body["token_sha256"],
        "token": _held_against(held.token.encode() if held is not None else None, body["token_sha256"]),
        "passkey_evidence_sha256": body["evidence_sha256"],
        "passkey_evidence": _held_against(evidence.find(connection, *consent), body["evidence_sha256"]),
        "notice": dict(body["notice"]),
        "notice_text": shown,
        "notice_proof": _held_against(text.encode() if text is not None else None, body["notice"]["sha256"]),
    }


def _held_against(octets: bytes | None, sha256: str) -> str:
    """Empty where the log says that there was none."""
    if not sha256:
        return ""
    if octets is None:
        return GONE
    return PROVEN if hashlib.sha256(octets).hexdigest() == sha256 else DIFFERS


def _items(call: Call) -> list[dict[str, Any]]:
    """What was asked, with the newest answer to each: what was late is collected in a further release."""
    answers: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in call.entries:
        if entry["event"] == events.ExchangeReleased.NAME:
            results = entry["body"]["results"]
            answers |= {(one["party"], one["item"]): {**one, "entry": entry["index"]} for one in results}
    asked = [] if call.refused else call.body["items"]
    names = ("outcome", "digest", "route", "department_request", "kept", "dropped", "answered_by", "entry")
    return [
        {name: one[name] for name in ("party", "item", "department", "fields", "purpose", "legal_basis", "policies")}
        | {"person": one["subject_ref"]}
        | {name: answers.get((one["party"], one["item"]), {}).get(name) for name in names}
        for one in asked
    ]


def _step(entry: Entry) -> dict[str, Any]:
    body = entry["body"]
    operator = body.get("operator") or {}
    return {
        "index": entry["index"],
        "time": entry["time"],
        "event": entry["event"],
        "operator": operator.get("id", ""),
        "desk": operator.get("desk", ""),
        "what": body.get("decision") or body.get("code") or body.get("by") or "",
    }
