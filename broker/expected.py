"""When an answer can be expected of an item that has none yet: known, or not said at all.

It stands beside the results, in the log and on the wire, never in a result: what is digested says what left.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from audit.parts import ReleasedItem
from broker.moments import rfc3339
from connectors.contract import Answer
from policies.vocabulary import Outcome

_TELLING: Final = frozenset({Outcome.PENDING, Outcome.CLOSED_HOURS, Outcome.QUOTA})


def answers_at(outcome: str, answer: Answer, now: int) -> str | None:
    """By when what is pending may be answered, or from when else it can be asked again; None where that has passed."""
    if outcome not in _TELLING or answer.retry_at is None:
        return None
    at = math.ceil(answer.retry_at.timestamp())
    return rfc3339(at) if at > now else None


def beside(released: Sequence[ReleasedItem]) -> list[Mapping[str, str]]:
    """What is told beside the results, for those items of which it is known."""
    return [
        {"party": one.party, "item": one.item, "at": one.answers_at}
        for one in released
        if one.answers_at is not msgspec.UNSET
    ]
