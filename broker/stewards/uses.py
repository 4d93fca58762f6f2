"""Who used a department's data for what: counts and outcomes by requester, matter and item, from the index alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from audit import events
from audit.counting import count_lines
from broker.names import Names
from policies.vocabulary import TRANSIENT_OUTCOMES, Outcome

ASKED: Final = events.ExchangeAdmitted.NAME
_TOLD: Final = events.ExchangeReleased.NAME
_SORTS: Final[Mapping[str, frozenset[str]]] = {
    "given": frozenset({Outcome.FOUND, Outcome.MATCH, Outcome.MISMATCH}),
    "nothing": frozenset({Outcome.NO_RECORD, Outcome.NOT_DECIDABLE}),
    "not_permitted": frozenset({Outcome.DENIED_BY_DEPARTMENT}),
    "failed": TRANSIENT_OUTCOMES | {Outcome.BAD_REQUEST, Outcome.NEED_MANUAL},
    "pending": frozenset({Outcome.PENDING}),
    "withheld": frozenset({Outcome.WITHHELD}),
}
"""By word, the outcomes that it sums up: no such record, not permitted and could not be asked are kept apart."""


@dataclass(slots=True)
class Use:
    """One requester's use of one item for one matter; a count is one item of one person in one call."""

    requester: str
    matter: str
    item: str
    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def uses_of(connection: Connection, items: Sequence[str], since: int, before: int) -> Sequence[Use]:
    """Those of a time, in microseconds since 1970; who asked most comes first."""
    found: dict[tuple[str, str, str], Use] = {}
    for one in count_lines(connection, items, (ASKED, _TOLD), since, before):
        key = (one.requester, one.matter, one.item)
        use = found.setdefault(key, Use(*key))
        if one.event == ASKED:
            use.asked += one.lines
        else:
            use.outcomes[one.outcome] += one.lines
    return sorted(found.values(), key=lambda use: (-use.asked, use.requester, use.matter, use.item))


def wanted(uses: Iterable[Use], filters: Mapping[str, str]) -> list[Use]:
    """Those of which every filter that is given holds."""
    return [use for use in uses if all(getattr(use, name) == value for name, value in filters.items() if value)]


def use_members(names: Names, use: Use, period: Mapping[str, str]) -> dict[str, Any]:
    """A use on the wire; `period` is its month or day."""
    return {
        **period,
        "requester": use.requester,
        "name": names.requester(use.requester),
        "matter": use.matter,
        "matter_name": names.matter(use.matter),
        "item": use.item,
        "item_name": names.item(use.item),
        "asked": use.asked,
        **{word: sum(use.outcomes[one] for one in sort) for word, sort in _SORTS.items()},
        "outcomes": dict(sorted(use.outcomes.items())),
    }
