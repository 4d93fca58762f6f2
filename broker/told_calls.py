"""A call in the reader's words: one sentence, what came of it, item by item, and what became of it afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from broker.moments import rfc3339
from broker.names import Names
from broker.plain_words import BECAUSE, CHANNELS, ENDINGS, EXPECTED, NOT_PERMITTED, NOTICES, OUTCOMES, STOPPED, Words
from policies.vocabulary import Outcome

CORRECTABLE: Final = frozenset(
    {Outcome.FOUND, Outcome.MATCH, Outcome.MISMATCH, Outcome.NO_RECORD, Outcome.NOT_DECIDABLE}
)
"""What a department said of the person, which can be wrong; trouble on the way says nothing of her."""

DECISIONS: Final = frozenset({"approved", "refused"})
"""Those that end a case; `returned` does not."""


@dataclass(frozen=True, slots=True)
class ToldItem:
    item: str
    name: str
    department: str
    fields: str
    purpose: str
    outcome: str
    """Empty where the call had no outcome for it."""
    expected: str
    """When an answer can be expected; empty where nobody knows, or that has passed."""
    correctable: bool


@dataclass(frozen=True, slots=True)
class ToldAfterwards:
    index: int
    time: str
    text: str


@dataclass(frozen=True, slots=True)
class ToldCall:
    """`time` is as the log has it; `ending` a word of plain_words.ENDINGS, `came_of_it` that in the reader's words."""

    index: int
    time: str
    case: str
    text: str
    ending: str
    came_of_it: str
    by_whom: str
    """Under whose signature, where it was not her own."""
    items: Sequence[ToldItem]
    afterwards: Sequence[ToldAfterwards]
    decided: bool
    """Whether its case was, so that she may say how it went."""


def told_call(names: Names, access: Mapping[str, Any], now: float) -> ToldCall:
    """A call as broker/accesses.py gives it, told at `now` (seconds since 1970)."""
    ending = access["ending"]
    return ToldCall(
        index=access["index"],
        time=access["time"],
        case=access["case"],
        text=names.sentence(NOTICES.get(f"{access['event']}/{ending}") or NOTICES[access["event"]], access),
        ending=ending,
        came_of_it=names.say(ENDINGS[ending]) + _why(names, access),
        by_whom=names.say(("；", "; ")).join(names.say(CHANNELS[one]) for one in access["channels"] if one in CHANNELS),
        items=[_told_item(names, access["matter"], one, now) for one in access["items"]],
        afterwards=[_told_afterwards(names, access, one) for one in access["afterwards"]],
        decided=any(one["decision"] in DECISIONS for one in access["afterwards"]),
    )


def _why(names: Names, access: Mapping[str, Any]) -> str:
    """Why nothing came of it, where it was refused or withheld as a whole."""
    if not access["code"]:
        return ""
    sides = dict.fromkeys(which.partition(":")[2] for which in access["stopped"])
    return _because(names, [STOPPED[one] for one in sides] or [BECAUSE.get(access["code"], NOT_PERMITTED)])


def _because(names: Names, why: Sequence[Words]) -> str:
    return names.say(("：", ": ")) + names.say(("；", "; ")).join(map(names.say, why))


def _outcome(names: Names, one: Mapping[str, Any]) -> str:
    outcome, because = one["outcome"], one["withheld_because"]
    said = names.say(OUTCOMES[outcome]) if outcome in OUTCOMES else outcome or ""
    why = STOPPED.get(because) or BECAUSE.get(because)
    return said + (_because(names, [why]) if why is not None else "")


def _told_item(names: Names, matter: str, one: Mapping[str, Any], now: float) -> ToldItem:
    return ToldItem(
        item=one["item"],
        name=names.item(one["item"]),
        department=names.department(one["department"]),
        fields=names.fields(one["item"], one["fields"]),
        purpose=names.purpose(matter, one["item"], one["purpose"]),
        outcome=_outcome(names, one),
        expected=_expected(names, one["outcome"], one["answers_at"], now),
        correctable=one["outcome"] in CORRECTABLE,
    )


def _expected(names: Names, outcome: str | None, at: str | None, now: float) -> str:
    words = EXPECTED.get(outcome or "")
    if words is None or at is None or at <= rfc3339(int(now)):
        return ""
    return names.say(words).format(at=names.moment(at))


def _told_afterwards(names: Names, access: Mapping[str, Any], one: Mapping[str, Any]) -> ToldAfterwards:
    words = NOTICES.get(f"{one['event']}/{one['decision']}") or NOTICES[one["event"]]
    return ToldAfterwards(one["index"], one["time"], names.sentence(words, {**access, **one}))
