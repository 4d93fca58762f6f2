"""The calls behind a count: who asked, at which desk, for which case, which fields, why, with what outcome and consent.

No person stands here, not even by the reference that the log has of her; that each call rested on a consent is shown
by the consent's id, the digest of what was signed, and the log's own entry of the signature.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from audit import events
from audit import tables as audit_tables
from audit.search import Cursor, Wanted, newest
from audit.tables import FIRST_LINE
from broker.names import Names
from broker.own_entries import entries
from policies.vocabulary import Outcome

AT_ONCE: Final = 50
_ASKED: Final = events.ExchangeAdmitted.NAME
_GRANTED: Final = events.ConsentGranted.NAME
_ENDED: Final = (events.ExchangeReleased.NAME, events.ExchangeWithheld.NAME, events.ExchangeInterrupted.NAME)
_BESIDE_AT_MOST: Final = 2000

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Calls on the wire, the newest first; `following` leads on where there are more."""

    calls: Sequence[dict[str, Any]]
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class _Beside:
    """What else the log says of the cases on a page."""

    endings: Mapping[int, Sequence[Entry]]
    """By the index of an admission, in order."""
    signatures: Mapping[str, Entry]
    """By a consent's `jti`."""


def calls_of(
    connection: Connection, names: Names, department: str, wanted: Wanted, cursor: Cursor | None = None
) -> Page:
    """One page of what was asked of this department; `wanted` names one of its items."""
    found = newest(connection, wanted, AT_ONCE + 1, cursor)
    shown = found[:AT_ONCE]
    admissions = entries(connection, shown)
    beside = _beside(connection, list(admissions.values()))
    calls = [
        _members(names, admissions[index], line, beside)
        for index in shown
        for line in admissions[index]["body"]["items"]
        if (line["item"], line["department"]) == (wanted.item, department)
    ]
    return Page(calls, Cursor(shown[-1]) if len(found) > AT_ONCE else None)


def asked(requester: str, matter: str, item: str, span: tuple[int, int]) -> Wanted:
    """What to look for in the log."""
    since, before = span
    return Wanted(requester=requester, matter=matter, item=item, events=(_ASKED,), since=since, before=before)


def rows(calls: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The same for a spreadsheet: one line a call, its consents in one cell."""
    return [
        {
            **one,
            "fields": " ".join(one["fields"]),
            "consents": " ".join(f"{consent['id']}={consent['sha256']}" for consent in one["consents"]),
        }
        for one in calls
    ]


def _beside(connection: Connection, admissions: Sequence[Entry]) -> _Beside:
    index = audit_tables.index
    cases = {one["body"]["case"] for one in admissions}
    # The later the admission, the later its ending: the newest suffice
    query = select(index.c.idx).where(index.c.case.in_(cases), index.c.event.in_((*_ENDED, _GRANTED)), FIRST_LINE)
    found = connection.execute(query.order_by(index.c.idx.desc()).limit(_BESIDE_AT_MOST)).scalars().all()
    endings: dict[int, list[Entry]] = {}
    signatures = {}
    for _, entry in sorted(entries(connection, found).items()):
        if entry["event"] == _GRANTED:
            signatures[entry["body"]["consent"]["jti"]] = entry
        else:
            endings.setdefault(entry["body"]["admitted"], []).append(entry)
    return _Beside(endings, signatures)


def _members(names: Names, admission: Entry, line: Mapping[str, Any], beside: _Beside) -> dict[str, Any]:
    body = admission["body"]
    outcome, because = _outcome(beside.endings.get(admission["index"], ()), line)
    return {
        "entry": admission["index"],
        "time": admission["time"],
        "requester": body["requester"],
        "desk": body["operator"]["desk"],
        "operator": body["operator"]["id"],
        "matter": body["matter"],
        "case": body["case"],
        "party": line["party"],
        "item": line["item"],
        "fields": line["fields"],
        "purpose": names.purpose(body["matter"], line["item"], line["purpose"]),
        "legal_basis": line["legal_basis"],
        "outcome": outcome,
        "because": because,
        "consents": _consents(names, body, line, beside),
    }


def _outcome(endings: Sequence[Entry], line: Mapping[str, Any]) -> tuple[str, str]:
    """The newest word on this item, and why where it was withheld; `running` where there is none yet."""
    outcome, because = "running", ""
    for entry in endings:
        body = entry["body"]
        if entry["event"] == events.ExchangeInterrupted.NAME:
            outcome, because = "interrupted", ""
        elif entry["event"] == events.ExchangeWithheld.NAME and ("collects" not in body or outcome == Outcome.PENDING):
            outcome, because = str(Outcome.WITHHELD), _because(body, line["item"])
        for result in body.get("results", ()):
            if (result["party"], result["item"]) == (line["party"], line["item"]):
                outcome, because = result["outcome"], result.get("withheld_because", "")
    return outcome, because


def _because(body: Mapping[str, Any], item: str) -> str:
    told = dict(which.split(":", 1) for which in body.get("stopped", ()))
    return str(told.get(item, body["code"]))


def _consents(
    names: Names, body: Mapping[str, Any], line: Mapping[str, Any], beside: _Beside
) -> Sequence[dict[str, Any]]:
    """Those on which this item rested: its own party's, and of a joint item the others'."""
    known = names.catalogue.items.get(line["item"])
    parties = {line["party"], *(known.joint if known is not None else ())}
    told = []
    for one in body["consents"]:
        if one["party"] in parties:
            signed = beside.signatures.get(one["jti"])
            digest = signed["body"]["token_sha256"] if signed is not None else ""
            told.append({"id": one["jti"], "sha256": digest, "entry": signed["index"] if signed is not None else None})
    return told
