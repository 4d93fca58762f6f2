"""The entries that one call is made of, and those of the consents that it rested on: all in one case of one requester.

A case with more entries than AT_MOST is not shown whole, and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from audit import events
from audit.search import Wanted, newest
from broker.own_entries import entries
from policies.refusals import Code, Refused

Entry = Mapping[str, Any]

AT_MOST: Final = 2000
_OF_EXCHANGE: Final = tuple(name for name in events.EVENTS if name.startswith("exchange."))
_OF_CONSENT: Final = tuple(name for name in events.EVENTS if name.startswith("consent."))


@dataclass(frozen=True, slots=True)
class Call:
    """A call, or the refusal of one."""

    body: Mapping[str, Any]
    """Of its admission; of its refusal where it was refused."""
    refused: bool
    entries: Sequence[Entry]
    """The call's own, in order."""
    consents: Sequence["Ground"]
    whole: bool

    @property
    def people(self) -> list[str]:
        """Whose data it was about."""
        return list(dict.fromkeys(one.subject_ref for one in self.consents))

    @property
    def timeline(self) -> list[Entry]:
        """Everything from the question to the withdrawal, in order."""
        every = {entry["index"]: entry for entry in self.entries}
        every |= {entry["index"]: entry for one in self.consents for entry in one.entries}
        return [entry for _, entry in sorted(every.items())]


@dataclass(frozen=True, slots=True)
class Ground:
    """A consent that a call rested on: as it was spent, and what the log says of it."""

    spent: Mapping[str, Any]
    subject_ref: str
    entries: Sequence[Entry]

    @property
    def granted(self) -> Entry | None:
        return next((one for one in self.entries if one["event"] == events.ConsentGranted.NAME), None)


def find_call(connection: Connection, index: int) -> Call:
    """The call that an entry belongs to. Raises Refused(not_found) where it belongs to none."""
    entry = entries(connection, [index]).get(index)
    if entry is None or entry["event"] not in _OF_EXCHANGE:
        raise Refused(Code.NOT_FOUND)
    names = {"requester": entry["body"]["requester"], "case": entry["body"]["case"]}
    of_case = _read(connection, Wanted(**names, events=_OF_EXCHANGE))
    of_consents = _read(connection, Wanted(**names, events=_OF_CONSENT))
    refused = entry["event"] == events.ExchangeRefused.NAME
    mine = [entry] if refused else _of_call(connection, entry, of_case)
    first = mine[0]["body"]
    people = first["subject_refs"] if refused else [one["subject_ref"] for one in first["consents"]]
    grounds = [_ground(spent, ref, of_consents) for spent, ref in zip(first["consents"], people, strict=False)]
    return Call(first, refused, mine, grounds, max(len(of_case), len(of_consents)) < AT_MOST)


def entries_of_case(connection: Connection, requester: str, case: str, limit: int) -> Sequence[Entry]:
    """Every entry of one case, in order."""
    return _read(connection, Wanted(requester=requester, case=case), limit)


def entries_of_person(connection: Connection, subject_ref: str, limit: int) -> Sequence[Entry]:
    """Every entry that concerns one person, in order."""
    return _read(connection, Wanted(subject_ref=subject_ref), limit)


def _of_call(connection: Connection, entry: Entry, of_case: Sequence[Entry]) -> list[Entry]:
    """With its admission first, however long the case is."""
    call = entry["body"]["call"]
    mine = {one["index"]: one for one in of_case if one["body"].get("call") == call} | {entry["index"]: entry}
    for one in list(mine.values()):
        if "admitted" in one["body"]:
            mine |= entries(connection, [one["body"]["admitted"]])
    return [one for _, one in sorted(mine.items())]


def _ground(spent: Mapping[str, Any], subject_ref: str, of_consents: Sequence[Entry]) -> Ground:
    mine = [one for one in of_consents if _is_of(one, spent)]
    requests = {one["body"]["request"] for one in mine if "request" in one["body"]}
    return Ground(spent, subject_ref, [one for one in of_consents if one in mine or _asks(one, requests)])


def _is_of(entry: Entry, spent: Mapping[str, Any]) -> bool:
    consent = entry["body"].get("consent")
    return consent is not None and (consent["iss"], consent["jti"]) == (spent["iss"], spent["jti"])


def _asks(entry: Entry, requests: set[str]) -> bool:
    return entry["body"].get("request") in requests


def _read(connection: Connection, wanted: Wanted, limit: int = AT_MOST) -> Sequence[Entry]:
    found = entries(connection, newest(connection, wanted, limit))
    return [entry for _, entry in sorted(found.items())]
