"""Entries about a person that are worth telling her: all but looks for late answers that found none about her.

Each look stands in the log, and a patient requester looks often: what is worth reading must not drown in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from audit.search import Cursor, Wanted, newest
from broker.own_entries import entries
from policies.vocabulary import Outcome

_AT_ONCE: Final = 200
_LOOKED_AT_MOST: Final = 10_000
"""Entries that one page may pass over."""


@dataclass(frozen=True, slots=True)
class Told:
    """Entries by index, the newest first; `following` is the last one's index where there are more."""

    said: Mapping[int, Mapping[str, Any]]
    following: int | None


def newest_told(
    connection: Connection, subject_ref: str, events: tuple[str, ...], limit: int, cursor: Cursor | None
) -> Told:
    """At most so many of these events."""
    wanted = Wanted(subject_ref=subject_ref, events=events)
    told: dict[int, Mapping[str, Any]] = {}
    size = limit + 1
    for _ in range(_LOOKED_AT_MOST // _AT_ONCE):
        found = newest(connection, wanted, size, cursor)
        said = entries(connection, found)
        told |= {index: said[index] for index in found if not is_look_in_vain(said[index], subject_ref)}
        if len(told) > limit:
            shown = list(told)[:limit]
            return Told({index: told[index] for index in shown}, shown[-1])
        if len(found) < size:
            return Told(told, None)
        cursor, size = Cursor(found[-1]), _AT_ONCE
    return Told(told, cursor.below if cursor is not None else None)


def is_look_in_vain(entry: Mapping[str, Any], subject_ref: str) -> bool:
    """Whether somebody looked for late answers and none about her was there: recorded, but nothing she must read."""
    body = entry["body"]
    hers = {one["outcome"] for one in body.get("results", []) if one["subject_ref"] == subject_ref}
    return "collects" in body and hers == {Outcome.PENDING}
