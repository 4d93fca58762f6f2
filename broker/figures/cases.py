"""One case's life, entry by entry: what each entry of the log adds to the figures. Pure.

Everything is told by the log's own words; `Ground` says only how many papers an item stands for and where cities are.
What the figures mean, rule by rule, says rules.py: the two are read side by side.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from audit import events
from broker.figures.measures import Fact
from broker.figures.places import Places
from broker.figures.scoring import Asked, Zeros, score, spared
from policies.vocabulary import Matter, Outcome

Body = Mapping[str, Any]

ANSWERED: Final = frozenset({Outcome.FOUND, Outcome.MATCH})
"""What stands for a paper."""
OUTCOMES: Final[Mapping[str, str]] = {
    Outcome.FOUND: "found",
    Outcome.MATCH: "found",
    Outcome.MISMATCH: "mismatch",
    Outcome.NO_RECORD: "no_record",
    Outcome.NOT_DECIDABLE: "no_record",
    Outcome.DENIED_BY_DEPARTMENT: "denied",
    Outcome.PENDING: "later",
    Outcome.WITHHELD: "withheld",
}
"""What a call came to; everything else is trouble, for now."""
DECIDED: Final = frozenset({"approved", "refused"})
"""Decisions that end a case; `returned` does not."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What must be known beside the log."""

    matters: Mapping[str, Matter]
    places: Places


class OpenCall(msgspec.Struct):
    """An admitted call that has not been released. `began` is in milliseconds."""

    began: int
    channels: dict[str, str]
    """Party -> how she consented."""


class Case(msgspec.Struct):
    """What is remembered of one requester's case in one matter. Names nobody: people are `subject_ref`."""

    applicant: str = ""
    signed: int = 0
    """When the first consent was signed, in milliseconds."""
    asked: list[str] = []
    granted: list[str] = []
    answered: list[str] = []
    spared: list[str] = []
    """`subject_ref/item` whose papers were counted."""
    trips: list[str] = []
    channels: dict[str, str] = {}
    """`iss/jti` of each consent -> how it was given."""
    calls: dict[str, OpenCall] = {}
    """By the index of their admission."""
    pending: dict[str, int] = {}
    """`exchange/party/item` -> when it was asked, in milliseconds."""
    risks: list[str] = []
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that concerns a case. `time` is in milliseconds since 1970."""

    index: int
    time: int
    event: str
    body: Body

    @property
    def case(self) -> str:
        """Whose: one requester's case in one matter."""
        return "/".join(self.body[name] for name in ("requester", "case", "matter"))


def live_on(case: Case, entry: Entry, ground: Ground) -> Iterator[Fact]:
    """What the entry adds to the figures; the case remembers what later ones need."""
    step = _STEPS.get(entry.event)
    if step is not None:
        yield from step(case, entry, ground)


def zeros_of(case: Case, matter: Matter | None) -> Zeros:
    """The four zeros of a case as it stands."""
    asked = Asked(case.asked, case.granted, case.answered)
    return score(matter, asked, list(case.channels.values()), case.risks)


def _asked(case: Case, entry: Entry, _: Ground) -> Iterator[Fact]:
    _note(case.asked, *(one["item"] for one in entry.body["items"]))
    yield from ()


def _granted(case: Case, entry: Entry, _: Ground) -> Iterator[Fact]:
    body = entry.body
    _note(case.granted, *(one["item"] for one in body["items"]))
    case.channels[_name(body["consent"])] = body["channel"]
    case.applicant = case.applicant or body["subject_ref"]
    case.signed = case.signed or entry.time
    yield _consent("granted", entry)


def _declined(_case: Case, entry: Entry, _: Ground) -> Iterator[Fact]:
    yield _consent("declined", entry)


def _withdrawn(_case: Case, entry: Entry, _: Ground) -> Iterator[Fact]:
    yield _consent("withdrawn", entry)


def _admitted(case: Case, entry: Entry, _: Ground) -> Iterator[Fact]:
    channels = {one["party"]: case.channels.get(_name(one), "online") for one in entry.body["consents"]}
    case.calls[str(entry.index)] = OpenCall(entry.time, channels)
    yield from ()


def _refused(case: Case, _entry: Entry, _: Ground) -> Iterator[Fact]:
    _note(case.risks, "refused")
    yield from ()


def _ended(case: Case, entry: Entry, _: Ground) -> Iterator[Fact]:
    if "collects" not in entry.body:
        case.calls.pop(str(entry.body["admitted"]), None)
    yield from ()


def _released(case: Case, entry: Entry, ground: Ground) -> Iterator[Fact]:
    results = entry.body["results"]
    call = case.calls.pop(str(entry.body["admitted"]), None)
    if call is not None and any(one["outcome"] != Outcome.PENDING for one in results):
        waited = entry.time - call.began
        yield Fact("answer_time", (), entry.case, results[0]["subject_ref"], total=waited)
    for one in results:
        name = f"{entry.body['exchange']}/{one['party']}/{one['item']}"
        if call is not None and name not in case.pending:
            yield _call(entry, one, call.channels.get(one["party"], "online"), ground)
        yield from _settled(case, entry, one, name, call)
        yield from _answered(case, entry, one, ground)


def _settled(case: Case, entry: Entry, one: Body, name: str, call: OpenCall | None) -> Iterator[Fact]:
    """An answer that came late, or that is waited for from here on."""
    if one["outcome"] == Outcome.PENDING:
        if call is not None:
            case.pending.setdefault(name, call.began)
    elif (began := case.pending.pop(name, None)) is not None:
        yield Fact("answer_time", (), entry.case, one["subject_ref"], total=entry.time - began)


def _answered(case: Case, entry: Entry, one: Body, ground: Ground) -> Iterator[Fact]:
    """What an answer spares the person: papers, and the way to fetch them."""
    if one["outcome"] == Outcome.MISMATCH:
        _note(case.risks, "mismatch")
    if one["outcome"] not in ANSWERED:
        return
    _note(case.answered, one["item"])
    papers = spared(ground.matters.get(entry.body["matter"]), one["item"])
    if not papers:
        return
    if _note(case.spared, f"{one['subject_ref']}/{one['item']}"):
        yield Fact("paper", (), entry.case, one["subject_ref"], n=papers)
    if _note(case.trips, f"{one['department']}/{one['route']}"):
        pair = ground.places.pair(entry.body["requester"], one["department"], one["route"])
        kilometres = ground.places.kilometres(pair) if pair is not None else None
        known = "known" if kilometres is not None else "unknown"
        yield Fact("trip", (known,), entry.case, one["subject_ref"], total=2 * (kilometres or 0))


def _decided(case: Case, entry: Entry, ground: Ground) -> Iterator[Fact]:
    body = entry.body
    if body["decision"] not in DECIDED or case.decided:
        return
    case.decided = True
    zeros = zeros_of(case, ground.matters.get(body["matter"]))
    amount = body.get("amount_fen", 0) if body["decision"] == "approved" else 0
    key = (zeros.material, zeros.errand, zeros.meeting, zeros.risk, "reported" if amount else "none")
    person = case.applicant or next(iter(body["subject_refs"]), "")
    yield Fact("case", (body["matter"], body["decision"], *key), entry.case, person, total=amount)
    if case.signed:
        yield Fact("case_time", (), entry.case, person, total=entry.time - case.signed)


def _call(entry: Entry, one: Body, channel: str, ground: Ground) -> Fact:
    pair = ground.places.pair(entry.body["requester"], one["department"], one["route"])
    words = (entry.body["matter"], channel, ">".join(pair) if pair is not None else "", _outcome(one))
    return Fact("call", (one["department"], one["item"], *words), entry.case, one["subject_ref"])


def _outcome(one: Body) -> str:
    return OUTCOMES.get(one["outcome"], "trouble")


def _consent(act: str, entry: Entry) -> Fact:
    return Fact("consent", (act,), entry.case, entry.body["subject_ref"])


def _name(consent: Body) -> str:
    return f"{consent['iss']}/{consent['jti']}"


def _note(noted: list[str], *names: str) -> bool:
    """Whether one of them is new."""
    new = [one for one in dict.fromkeys(names) if one not in noted]
    noted += new
    return bool(new)


_STEPS: Final = {
    events.ConsentAsked.NAME: _asked,
    events.ConsentGranted.NAME: _granted,
    events.ConsentDeclined.NAME: _declined,
    events.ConsentWithdrawn.NAME: _withdrawn,
    events.ExchangeAdmitted.NAME: _admitted,
    events.ExchangeRefused.NAME: _refused,
    events.ExchangeReleased.NAME: _released,
    events.ExchangeWithheld.NAME: _ended,
    events.ExchangeInterrupted.NAME: _ended,
    events.ExchangeDecided.NAME: _decided,
}
COUNTED: Final = frozenset(_STEPS)
"""The events that the figures are made of."""
