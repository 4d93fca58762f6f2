"""A person's notices: entries of the log that concern her, each as one sentence. Nothing is kept of them twice.

Which events are told, and how, says plain_words.py alone. All that is stored is up to which index she has seen them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from audit import events
from audit import tables as audit_tables
from audit.batch import Transaction
from audit.search import Cursor
from broker import tables
from broker.names import Names
from broker.own_entries import entries
from broker.plain_words import NOTICES
from broker.worth_telling import is_look_in_vain, newest_told
from policies.vocabulary import TRANSIENT_OUTCOMES, Outcome

AT_ONCE: Final = 50
COUNTED: Final = 100
"""Unread ones are counted up to here: beyond it nobody needs the number, and every page asks."""
TOLD: Final = tuple(
    dict.fromkeys(
        name.partition("/")[0]
        for name in NOTICES
        if not name.startswith((events.ExchangeAdmitted.NAME, events.QuestionOpened.NAME, events.CorrectionOpened.NAME))
    )
)
"""The events of the inbox: each that has a sentence, but those of what is only under way and what she just wrote."""
_NOTHING: Final = frozenset({Outcome.NO_RECORD, Outcome.NOT_DECIDABLE})
_FAILED: Final = TRANSIENT_OUTCOMES | {Outcome.BAD_REQUEST, Outcome.DENIED_BY_DEPARTMENT, Outcome.NEED_MANUAL}


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `time` is as the log has it."""

    index: int
    time: str
    event: str
    text: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Notices, the newest first; `following` is the last one's index where there are more."""

    notices: Sequence[Notice]
    following: int | None


def notices_of(connection: Connection, names: Names, subject_ref: str, cursor: Cursor | None = None) -> Page:
    """One page of a person's notices."""
    found = newest_told(connection, subject_ref, TOLD, AT_ONCE, cursor)
    seen = seen_by(connection, subject_ref)
    notices = [
        Notice(index, entry["time"], entry["event"], tell(names, entry, subject_ref), index > seen)
        for index, entry in found.said.items()
    ]
    return Page(notices, found.following)


def tell(names: Names, entry: Mapping[str, Any], subject_ref: str) -> str:
    """An entry as one sentence for the person it concerns; empty for an event that has none."""
    event, body = entry["event"], entry["body"]
    words = NOTICES.get(f"{event}/{_variant(body, subject_ref)}") or NOTICES.get(event)
    return names.sentence(words, body) if words is not None else ""


def unread(connection: Connection, subject_ref: str) -> int:
    """How many notices she has not seen, at most COUNTED."""
    index = audit_tables.index
    newer = (index.c.subject_ref == subject_ref, index.c.idx > seen_by(connection, subject_ref))
    query = select(index.c.idx).where(*newer, index.c.event.in_(TOLD)).distinct().limit(COUNTED)
    said = entries(connection, connection.execute(query).scalars().all())
    return sum(not is_look_in_vain(entry, subject_ref) for entry in said.values())


def seen_by(connection: Connection, subject_ref: str) -> int:
    table = tables.inbox
    found = connection.execute(select(table.c.seen).where(table.c.subject_ref == subject_ref)).scalar_one_or_none()
    return -1 if found is None else int(found)


def mark_seen(transaction: Transaction, subject_ref: str, index: int) -> None:
    """A unit of work without entries: she has seen her notices up to `index`. It never goes back."""
    table = tables.inbox
    before = seen_by(transaction.connection, subject_ref)
    if before < 0:
        transaction.connection.execute(insert(table).values(subject_ref=subject_ref, seen=index))
    elif index > before:
        transaction.connection.execute(update(table).where(table.c.subject_ref == subject_ref).values(seen=index))


def ending_of(outcomes: Sequence[str]) -> str:
    """What a release came to for one person, by her items' outcomes; a word of plain_words.ENDINGS."""
    left = [one for one in outcomes if one != Outcome.WITHHELD]
    if not left:
        return "withheld"
    if Outcome.PENDING in left:
        return "pending"
    if all(one in _FAILED for one in left):
        return "failed"
    return "nothing" if all(one in _NOTHING | _FAILED for one in left) else "given"


def _variant(body: Mapping[str, Any], subject_ref: str) -> str:
    if "results" in body:
        return ending_of([one["outcome"] for one in body["results"] if one["subject_ref"] == subject_ref])
    return str(body.get("channel") or body.get("decision") or "")
