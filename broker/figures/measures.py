"""Everything that is counted, and the tables in which it is shown; adding one here is all it takes but its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SEPARATOR: Final = "/"
"""Between the parts of a row's name; none of the ids has one."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One contribution of one entry of the log to one measure. It is of one case and one person."""

    measure: str
    key: tuple[str, ...]
    """A word for each of the measure's dimensions."""
    of_case: str
    subject_ref: str
    n: int = 1
    total: int = 0
    """What is added up beside the number: kilometres, milliseconds or fen."""


@dataclass(frozen=True, slots=True)
class View:
    """A table of a measure: one row for each combination of these dimensions' words."""

    name: str
    dimensions: tuple[str, ...]
    parent: str = ""
    """The view whose rows these divide further, by their first dimension; empty for the measure's whole."""


@dataclass(frozen=True, slots=True)
class Measure:
    dimensions: tuple[str, ...] = ()
    views: tuple[View, ...] = ()
    has_whole: bool = True
    """Whether its rows add up to something worth telling."""

    def word(self, view: View, key: Sequence[str]) -> str:
        """In which row of the view something with this key is counted."""
        return SEPARATOR.join(key[self.dimensions.index(one)] for one in view.dimensions)


WHOLE: Final = "whole"


def _plain(*names: str) -> tuple[View, ...]:
    return tuple(View(name, (name,)) for name in names)


MEASURES: Final[Mapping[str, Measure]] = {
    "call": Measure(
        ("department", "item", "matter", "channel", "pair", "outcome"),
        (
            *_plain("department", "matter", "channel", "pair"),
            View("item", ("department", "item"), "department"),
            View("outcome", ("department", "outcome"), "department"),
        ),
    ),
    "consent": Measure(("act",), _plain("act"), has_whole=False),
    "case": Measure(
        ("matter", "decision", "material", "errand", "meeting", "risk", "amount"),
        (
            *_plain("matter", "decision", "material", "errand", "meeting", "risk"),
            View("amount", ("matter", "amount"), "matter"),
        ),
    ),
    "paper": Measure(),
    "trip": Measure(("distance",), _plain("distance")),
    "answer_time": Measure(),
    "case_time": Measure(),
}
