"""A log with few people, requesters and items in every combination, and the scan that a search is held against."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from audit import events, parts
from audit.batch import Transaction
from audit.event import Event
from audit.search import Wanted
from tests.faults.ledger_file import LedgerFile, found, opened

Entry = dict[str, Any]

PEOPLE: Final = ("a" * 32, "b" * 32, "c" * 32)
REQUESTERS: Final = ("hpf-1", "hpf-2")
OPERATORS: Final = ("clerk-1", "clerk-2", "clerk-3")
CASES: Final = ("case-1", "case-2", "case-3", "case-4")
MATTERS: Final = ("purchase_withdrawal", "loan")
ITEMS: Final = ("deed_tax", "marriage_check_single", "real_estate_registration")
START: Final = 1_767_225_600_000_000
"""Microseconds: the beginning of 2026."""
STEP: Final = 10 * 3600 * 1_000_000
SIZE: Final = 400
"""Entries, ten hours apart: half a year."""


@contextmanager
def searched_log(folder: Path, size: int = SIZE, url: str = "") -> Iterator[LedgerFile]:
    """A log of made-up events in a file below `folder`, or in the empty PostgreSQL database at `url`."""
    if url:
        found(url)
    chance = random.Random(size)
    clock = count(START, STEP)
    with opened(folder, now=lambda: next(clock), url=url) as log:
        for _ in range(size):
            log.ledger.record(lambda transaction: _append(transaction, chance)).result(20)
        yield log


def _append(transaction: Transaction, chance: random.Random) -> None:
    transaction.append(some_event(chance))


def some_event(chance: random.Random) -> Event:
    names: dict[str, Any] = {
        "requester": chance.choice(REQUESTERS),
        "matter": chance.choice(MATTERS),
        "case": chance.choice(CASES),
    }
    call: dict[str, Any] = {"call": "call", "exchange": "exchange", "admitted": 0}
    operator = parts.Operator(chance.choice(OPERATORS), "window 1")
    people = chance.sample(PEOPLE, chance.randint(1, 2))
    lines = [(person, item) for person in people for item in chance.sample(ITEMS, chance.randint(1, 2))]
    return chance.choice(
        [
            events.ExchangeReleased(**names, **call, operator=operator, results=[_result(*line) for line in lines]),
            events.ExchangeWithheld(**names, **call, subject_refs=people, code="consent_withdrawn"),
            _refused(names, operator, people[1:]),
            events.ConsentDeclined(**names, request="request", subject_ref=people[0]),
            events.SubjectErased(subject_ref=people[0]),
            events.LogExported(size=1),
        ]
    )


def _refused(names: dict[str, Any], operator: parts.Operator, people: list[str]) -> Event:
    request: dict[str, Any] = {"exchange": "exchange", "kid": "kid", "request_jti": "jti", "request_sha256": "00"}
    return events.ExchangeRefused(
        **names, **request, operator=operator, consents=[], subject_refs=people, code="not_permitted", reasons=[]
    )


def _result(subject_ref: str, item: str) -> parts.ReleasedItem:
    return parts.ReleasedItem("applicant", subject_ref, item, "found", "00", "taxation", "route", "", "", 1, 0)


def scan(entries: Sequence[Entry], wanted: Wanted) -> list[int]:
    """The naive way: look at what every entry itself says, the newest first."""
    return [entry["index"] for entry in reversed(entries) if _is_wanted(entry, wanted)]


def _is_wanted(entry: Entry, wanted: Wanted) -> bool:
    body = entry["body"]
    time = int(datetime.fromisoformat(entry["time"]).timestamp() * 1_000_000 + 0.5)
    of_entry = {
        "requester": body.get("requester", ""),
        "operator": body.get("operator", {}).get("id", ""),
        "matter": body.get("matter", ""),
        "case": body.get("case", ""),
    }
    return (
        all(getattr(wanted, name) in {"", value} for name, value in of_entry.items())
        and (not wanted.events or entry["event"] in wanted.events)
        and (wanted.since is None or time >= wanted.since)
        and (wanted.before is None or time < wanted.before)
        and any(wanted.subject_ref in {"", person} and wanted.item in {"", item} for person, item in _lines(body))
    )


def _lines(body: Entry) -> list[tuple[str, str]]:
    if "results" in body:
        return [(result["subject_ref"], result["item"]) for result in body["results"]]
    people = body.get("subject_refs", [body.get("subject_ref", "")])
    return [(person, "") for person in people or [""]]


def stored(log: LedgerFile) -> list[tuple[Any, ...]]:
    """Every row of the projection."""
    with log.database.reader.begin() as connection:
        query = "SELECT * FROM audit_index ORDER BY idx, line"
        return [tuple(row) for row in connection.exec_driver_sql(query)]
