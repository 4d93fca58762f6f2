"""What may be given again under the same use: the bounds of a repeat (protocol, "Repeats"), in one place."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from broker.exchange_request import Line
from policies.vocabulary import TRANSIENT_OUTCOMES, Outcome

AGAIN_WITHIN: Final = 10 * 60
"""Seconds from the first release in which a final answer may be asked again."""
AGAIN_AT_MOST: Final = 3
_ALWAYS: Final = TRANSIENT_OUTCOMES | {Outcome.WITHHELD, Outcome.PENDING}


def key_of(line: Line) -> str:
    """How a line is named in an exchange's `answered`."""
    return "/".join(line.name)


def may_repeat(line: Line, row: Any, now: int) -> bool:
    """Whether an exchange's row lets this line be asked again at `now` (seconds)."""
    said = json.loads(row.answered).get(key_of(line))
    if said is None:
        return True
    outcome, again = said
    if outcome in _ALWAYS:
        return True
    return now <= int(row.first_released_at) + AGAIN_WITHIN and int(again) < AGAIN_AT_MOST


def answered_after(row: Any, results: Sequence[Mapping[str, Any]]) -> bytes:
    """An exchange's `answered` after these results."""
    answered = json.loads(row.answered)
    for result in results:
        key = f"{result['party']}/{result['item']}"
        before, again = answered.get(key, (None, 0))
        final_again = before is not None and before not in TRANSIENT_OUTCOMES | {Outcome.PENDING}
        answered[key] = [result["outcome"], again + 1 if final_again else again]
    return json.dumps(answered).encode()
