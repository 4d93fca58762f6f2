"""A late answer on its way: cut to what was granted, sealed under the person's own key, and read again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from audit.batch import Transaction
from broker import waiting
from broker.exchange_request import Line
from broker.release import Minimised
from broker.waiting import Waiting
from connectors.contract import Answer
from consent import grants, kept
from consent.kept import Late
from consent.subjects import SubjectKeys
from policies.refusals import Code
from policies.vocabulary import Outcome

ENDED: Final = frozenset({Code.CONSENT_WITHDRAWN, Code.CONSENT_EXPIRED})
"""Of a consent: what destroys the answers kept under it. A pause does not."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted answer's own number and the SHA-256 of its bytes, by which the same one is known again."""

    number: str
    sha256: bytes


def keep(
    transaction: Transaction, keys: SubjectKeys, asked: Waiting, answer: Minimised, posted: Posted | None = None
) -> bool:
    """A unit of work. False where nobody waits for it any more: then nothing is kept."""
    now = waiting.find(transaction.connection, asked.id)
    if now is None or now.answered_at is not None:
        return False
    seconds = transaction.time // 1_000_000
    late = Late(asked.id, answer.line.party.granted.subject_ref, _written(answer))
    if grants.late_of_ended(transaction.connection, seconds, asked.id) or not kept.keep(transaction, keys, late):
        waiting.end(transaction, asked.id)
        return False
    number, digest = (posted.number, posted.sha256) if posted is not None else (None, None)
    waiting.set_values(transaction, asked.id, answered_at=seconds, leased_until=0, pushed=number, pushed_sha256=digest)
    return True


def read_kept(
    connection: Connection, keys: SubjectKeys, lines: Mapping[str, Line], asked: Sequence[Waiting], now: float
) -> dict[str, Minimised]:
    """By a waiting's id, what is kept of it."""
    answered = [one.id for one in asked if one.answered_at is not None]
    opened = kept.open_kept(connection, keys, answered, now)
    return {one.id: _read(lines[one.id], one.route, opened[one.id]) for one in asked if one.id in opened}


def not_yet(line: Line, asked: Waiting, now: float) -> Minimised:
    """What is said of an item that its department has not answered."""
    return Minimised(line, asked.left.answer(now), Outcome.PENDING, (), 0, 0)


def _written(answer: Minimised) -> bytes:
    whole = {
        "outcome": str(answer.outcome),
        "records": [dict(record) for record in answer.records],
        "kept": answer.kept,
        "dropped": answer.dropped,
        "as_of": answer.answer.as_of.timestamp(),
        "department_request": answer.answer.department_request,
        "raw_code": answer.answer.raw_code,
        "answered_by": answer.answer.answered_by,
    }
    return json.dumps(whole, ensure_ascii=False).encode()


def _read(line: Line, route: str, written: bytes) -> Minimised:
    whole: dict[str, Any] = json.loads(written)
    outcome = Outcome(whole["outcome"])
    answer = Answer(
        outcome=outcome,
        route=route,
        as_of=datetime.fromtimestamp(whole["as_of"], UTC),
        department_request=whole["department_request"],
        raw_code=whole["raw_code"],
        answered_by=whole["answered_by"],
    )
    return Minimised(line, answer, outcome, tuple(whole["records"]), whole["kept"], whole["dropped"])
