"""The four zeros of one decided case, each with the reason where it is none. Pure; says only what the log can know."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from policies.vocabulary import ChannelMode, MaterialState, Matter

ZERO: Final = "zero"
PRESENT: Final = (ChannelMode.COUNTER, ChannelMode.ASSISTED)
"""The channels in which the person stands before a clerk."""
_HANDED_IN: Final = frozenset({"kept", "declined", "unanswered", "not_asked", "unknown_matter"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a case's items, by their ids."""

    asked: Collection[str]
    granted: Collection[str]
    answered: Collection[str]


@dataclass(frozen=True, slots=True)
class Zeros:
    """For each, `zero` or the first reason why not; plain_words of figures say them."""

    material: str
    errand: str
    meeting: str
    risk: str


def score(matter: Matter | None, asked: Asked, channels: Collection[str], risks: Collection[str]) -> Zeros:
    """The four zeros of a case; `matter` is None where the catalogue no longer has it."""
    material = _material(matter, asked)
    present = next((str(one) for one in PRESENT if one in channels), ZERO)
    risk = next((one for one in ("refused", "mismatch") if one in risks), ZERO)
    handed_in = "paper_left" if material in _HANDED_IN else ZERO
    return Zeros(material, present if present != ZERO else handed_in, present, risk)


def spared(matter: Matter | None, item: str) -> int:
    """How many of the matter's papers this item's answer stands for."""
    materials = matter.materials if matter is not None else ()
    return sum(one.state is MaterialState.REPLACED and one.item == item for one in materials)


def _material(matter: Matter | None, asked: Asked) -> str:
    if matter is None:
        return "unknown_matter"
    reasons = {_reason(matter, one.state, one.item, asked) for one in matter.materials}
    ordered = ("kept", "declined", "unanswered", "not_asked", "promised")
    return next((one for one in ordered if one in reasons), ZERO)


def _reason(matter: Matter, state: MaterialState, item: str, asked: Asked) -> str:
    if state is not MaterialState.REPLACED:
        return {MaterialState.KEPT: "kept", MaterialState.PROMISED: "promised"}.get(state, ZERO)
    if item in asked.answered:
        return ZERO
    if item in asked.asked:
        return "unanswered" if item in asked.granted else "declined"
    need = matter.needs.get(item)
    return ZERO if need is not None and need.when_zh else "not_asked"  # what is needed only sometimes was not
