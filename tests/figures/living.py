"""A random life of the log, made of the events that the one path records, in an order in which they can come.

And the plain way to the same numbers: everything read at once, each rule said again in its own words.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import msgspec

from audit import events, parts
from audit.batch import Transaction
from audit.event import Event

Entry = Mapping[str, Any]

ITEMS: Final = {
    "deed_tax": "taxation",
    "real_estate_registration": "natural_resources",
    "marriage_check_single": "civil_affairs",
    "hpf_remote_account": "hpf_center_remote",
}
MATTERS: Final = ("purchase_withdrawal", "cross_region_loan_application", "retired_matter")
OUTCOMES: Final = ("found", "found", "found", "match", "mismatch", "no_record", "timeout", "denied_by_department")
CLERK: Final = parts.Operator("clerk-1", "window 1")
BEIJING: Final = timezone(timedelta(hours=8))


@dataclass
class Person:
    """One applicant's case as it goes on."""

    names: dict[str, str]
    subject_ref: str
    jti: str
    channel: str
    stage: str = "new"
    pending: list[tuple[int, str, str]] = field(default_factory=list)
    """Admission, exchange and item of what is waited for."""


@dataclass
class Life:
    """People come, are asked, agree or not, are looked up, wait, are decided; some of it goes wrong."""

    chance: random.Random
    people: list[Person] = field(default_factory=list)
    number: int = 0

    def go_on(self, transaction: Transaction) -> None:
        """One thing that happens."""
        if not self.people or self.chance.random() < 0.2:
            self.people.append(self._somebody())
        person = self.chance.choice(self.people[-25:])
        getattr(self, f"_{person.stage}")(transaction, person)

    def _somebody(self) -> Person:
        self.number += 1
        names = {
            "requester": self.chance.choice(("yz-hpf", "yz-hpf", "yz-hpf", "bj-hpf")),
            "case": f"C-{self.chance.randint(1, 3) if self.chance.random() < 0.05 else self.number}",
            "matter": self.chance.choice(MATTERS),
        }
        channel = self.chance.choice(("online", "online", "online", "counter", "assisted"))
        return Person(names, f"p{self.number if self.chance.random() < 0.9 else 1}", f"j{self.number}", channel)

    def _new(self, transaction: Transaction, one: Person) -> None:
        asked = [parts.AskedItem(item, ["x"], required=False) for item in ITEMS]
        transaction.append(_event(events.ConsentAsked, one, items=asked))
        one.stage = "asked"

    def _asked(self, transaction: Transaction, one: Person) -> None:
        if self.chance.random() < 0.15:
            transaction.append(_event(events.ConsentDeclined, one))
            one.stage = "ended"
            return
        granted = self.chance.sample(sorted(ITEMS), self.chance.choice((2, 4, 4)))
        items = [parts.GrantedItem(item, ITEMS[item], ["x"], "", "consent", 30) for item in granted]
        transaction.append(_event(events.ConsentGranted, one, items=items))
        one.stage = "granted"

    def _granted(self, transaction: Transaction, one: Person) -> None:
        way = self.chance.random()
        if way < 0.05:
            transaction.append(_event(events.ExchangeRefused, one, subject_refs=[one.subject_ref], code="x"))
        elif way < 0.10:
            transaction.append(_event(events.ConsentWithdrawn, one))
            one.stage = "ended"
        elif way < 0.70:
            self._exchange(transaction, one)
        elif way < 0.80 and one.pending:
            self._collect(transaction, one)
        elif way < 0.97:
            self._decide(transaction, one)

    def _ended(self, transaction: Transaction, one: Person) -> None:
        transaction.append(events.RequesterSuspended(requester=one.names["requester"]))

    def _exchange(self, transaction: Transaction, one: Person) -> None:
        use = parts.SpentUse("applicant", "kid", one.jti, one.subject_ref, 1, 2)
        admitted = transaction.append(_event(events.ExchangeAdmitted, one, consents=[use], items=[]))
        exchange = f"x{admitted}"
        call = {"call": exchange, "exchange": exchange, "admitted": admitted}
        way = self.chance.random()
        if way < 0.05:
            transaction.append(_event(events.ExchangeInterrupted, one, **call, subject_refs=[one.subject_ref]))
        elif way < 0.10:
            transaction.append(_event(events.ExchangeWithheld, one, **call, subject_refs=[one.subject_ref], code="x"))
        else:
            results = [self._result(one, item) for item in self.chance.sample(sorted(ITEMS), self.chance.randint(1, 4))]
            transaction.append(_event(events.ExchangeReleased, one, **call, results=results))
            one.pending += [(admitted, exchange, result.item) for result in results if result.outcome == "pending"]

    def _collect(self, transaction: Transaction, one: Person) -> None:
        admitted, exchange, item = one.pending[0]
        result = self._result(one, item)
        call = {"call": exchange, "exchange": exchange, "admitted": admitted}
        transaction.append(_event(events.ExchangeReleased, one, **call, results=[result], collects=admitted + 1))
        if result.outcome != "pending":
            one.pending.pop(0)

    def _decide(self, transaction: Transaction, one: Person) -> None:
        decision = self.chance.choice(("approved", "approved", "refused", "returned"))
        told: dict[str, Any] = {"subject_refs": [one.subject_ref], "decision": decision}
        if decision == "approved" and one.names["matter"] == MATTERS[1]:
            told["amount_fen"] = 100_000 * self.chance.randint(1, 900)
        call = {"call": "c", "exchange": "x", "released": 0}
        transaction.append(_event(events.ExchangeDecided, one, **call, **told))

    def _result(self, one: Person, item: str) -> parts.ReleasedItem:
        outcome = "pending" if self.chance.random() < 0.1 else self.chance.choice(OUTCOMES)
        route = "beijing-fund" if item == "hpf_remote_account" else "city"
        return parts.ReleasedItem(
            "applicant", one.subject_ref, item, outcome, "00", ITEMS[item], route, "", "", kept=1, dropped=0
        )


_PLAIN: Final[dict[str, Any]] = {
    "operator": CLERK,
    "consent": parts.Consent("kid", "jti"),
    "notice": parts.Notice("n", "1", "zh-CN", "00"),
    "mode": "online",
    "party": "applicant",
    "channel": "online",
    "uses": 3,
    "valid_for": 60,
    "expires": 0,
    "assurance": 3,
    "attempt": 1,
}


def _event(kind: type[Event], one: Person, **members: Any) -> Event:
    """The event with what this person's case says; what no figure looks at is any word."""
    own: dict[str, Any] = one.names | {"subject_ref": one.subject_ref, "channel": one.channel}
    own |= {"consent": parts.Consent("kid", one.jti)}
    given = _PLAIN | own | members
    fields = msgspec.structs.fields(kind)
    return kind(**{one.name: given.get(one.name, "x") for one in fields if one.required or one.name in members})


def month(entry: Entry) -> str:
    """The month in Beijing."""
    return f"{datetime.fromisoformat(entry['time']).astimezone(BEIJING):%Y-%m}"


@dataclass
class Plainly:
    """One number by the plain way: how many, on which cases and persons."""

    n: int = 0
    total: int = 0
    cases: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)

    def add(self, body: Entry, person: str, total: int = 0) -> None:
        self.n += 1
        self.total += total
        self.cases.add(f"{body['requester']}/{body['case']}/{body['matter']}")
        self.persons.add(person)

    @property
    def support(self) -> int:
        return min(len(self.cases), len(self.persons))


def plainly(entries: Sequence[Entry]) -> Mapping[tuple[str, str, str], Plainly]:
    """By month, table and row: consents, calls by department, decided cases by matter, and amounts."""
    numbers: dict[tuple[str, str, str], Plainly] = defaultdict(Plainly)
    decided: set[tuple[str, ...]] = set()
    applicants: dict[tuple[str, ...], str] = {}
    for entry in entries:
        body, at, event = entry["body"], month(entry), entry["event"]
        name = tuple(body.get(one, "") for one in ("requester", "case", "matter"))
        if event in ("consent.granted", "consent.declined", "consent.withdrawn"):
            numbers[at, "consent/act", event.partition(".")[2]].add(body, body["subject_ref"])
        if event == "consent.granted":
            applicants.setdefault(name, body["subject_ref"])
        if event == "exchange.released" and "collects" not in body:
            for one in body["results"]:
                numbers[at, "call", ""].add(body, one["subject_ref"])
                numbers[at, "call/department", one["department"]].add(body, one["subject_ref"])
        if event == "exchange.decided" and body["decision"] != "returned" and name not in decided:
            decided.add(name)
            amount = body.get("amount_fen", 0)
            numbers[at, "case", ""].add(body, applicants[name])
            numbers[at, "case/matter", body["matter"]].add(body, applicants[name])
            if amount:
                numbers[at, "case/amount", f"{body['matter']}/reported"].add(body, applicants[name], amount)
    return numbers


def shuffled_pieces(chance: random.Random) -> Iterator[int]:
    """Sizes of pieces, small and large."""
    while True:
        yield chance.choice((1, 2, 7, 40, 500))
