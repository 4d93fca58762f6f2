"""What a search found, on the wire and as rows: by reference and in one short tag, never by name."""

from collections.abc import Sequence
from typing import Any, Final

from audit.batch import format_time
from audit.search import Hit

TAG: Final = 6
"""Characters of a reference, enough to tell a page's people apart."""


def tag(subject_ref: str) -> str:
    """A person's reference, short."""
    return subject_ref[:TAG]


def hit_members(hit: Hit) -> dict[str, Any]:
    return {
        "index": hit.index,
        "time": format_time(hit.time),
        "event": hit.event,
        "requester": hit.requester,
        "operator": hit.operator,
        "desk": hit.desk,
        "matter": hit.matter,
        "case": hit.case,
        "people": _told([line.subject_ref for line in hit.lines]),
        "items": [
            {"person": line.subject_ref, "item": line.item, "outcome": line.outcome}
            for line in hit.lines
            if line.item or line.outcome
        ],
    }


def hit_row(members: dict[str, Any]) -> dict[str, Any]:
    """One line of a table."""
    items = members["items"]
    return members | {
        "people": " ".join(members["people"]),
        "items": " ".join(_told([one["item"] for one in items])),
        "outcomes": " ".join(_told([one["outcome"] for one in items])),
    }


def _told(words: Sequence[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word]
