"""Answers that departments bring to us: posted by their machines (`push`) or typed by their people (`manual`).

Only what is waited for is taken, only from the department that was asked, and only once; the same post again is told
the same. What is taken is cut and kept as every late answer is. One that is quicker than our own record of having asked
is held up for a moment, and then told to come again.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from broker import late_answers, waiting
from broker.carrying_on import Known, know
from broker.exchange import ExchangePath
from broker.late_answers import Posted
from broker.questions import asked_under_way
from broker.release import Minimised, minimise
from broker.waiting import Waiting
from connectors.contract import Answer, Question
from connectors.manual import ManualConnector, Typed
from connectors.push import PushConnector, Pushed
from connectors.reading import read_aside
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.vocabulary import Outcome

RELEASED_WITHIN: Final = 2.0
"""Seconds for which a post is held up whose question was put and not yet released as pending."""
_LOOK_EVERY: Final = 0.1


@dataclass(frozen=True, slots=True)
class Task:
    """A question that waits for a person at its department."""

    asked: Waiting
    known: Known
    connector: ManualConnector


async def take_pushed(
    path: ExchangePath, department: str, unverified_headers: Mapping[str, str], unverified_body: bytes
) -> Mapping[str, Any]:
    """Keep what a department posted. Raises Refused: not_found where nobody waits for it, already_decided, busy."""
    verified = _verified(path, department, unverified_headers, unverified_body)
    posted, connector, asked, known = await _sought(path, department, verified)
    digest = hashlib.sha256(posted.body).digest()
    if asked.answered_at is None:
        if known is None:
            raise Refused(Code.NOT_FOUND)
        reading = partial(_read, path, asked, known, partial(connector.answer_in, posted))
        answer = await read_aside(reading, len(posted.body))
        await _keep(path, asked, answer, Posted(posted.number, digest))
    now = await path.storage.read(lambda connection: waiting.find(connection, asked.id))
    if now is None or now.answered_at is None:
        raise Refused(Code.NOT_FOUND)
    if (now.pushed, now.pushed_sha256) != (posted.number, digest):
        raise Refused(Code.ALREADY_DECIDED)
    return {"ticket": posted.question, "number": posted.number, "status": "taken"}


def _verified(
    path: ExchangePath, department: str, unverified_headers: Mapping[str, str], unverified_body: bytes
) -> Sequence[tuple[Pushed, PushConnector]]:
    """What was posted, as each route of this department reads it whose key signed it."""
    mine = [one for one in path.directory.connectors(PushConnector) if one.department == department]
    if not mine:
        raise Refused(Code.NOT_FOUND)
    read = [(one.read_posted(unverified_headers, unverified_body), one) for one in mine]
    verified = [(posted, one) for posted, one in read if posted is not None]
    if not verified:
        raise Refused(Code.BAD_SIGNATURE, TokenRole.REQUEST)
    return verified


def tasks(connection: Connection, path: ExchangePath, department: str) -> list[Task]:
    """What waits for a person of this department, the oldest first; what has no standing consent is not shown."""
    found = []
    for asked in waiting.of_department(connection, department):
        connector = path.directory.connector(asked.item, asked.route)
        known = know(path, connection, asked) if isinstance(connector, ManualConnector) else None
        if known is not None and isinstance(connector, ManualConnector) and _stands(path, known):
            found.append(Task(asked, known, connector))
    return found


async def take_typed(path: ExchangePath, department: str, question: str, typed: Typed) -> None:
    """Keep what a person typed.

    Raises Refused: not_found where nobody waits for it; invalid_request, with the broken rule as its member, where it
    cannot be read or is about somebody else: then nothing is kept, and it may be typed again.
    """
    mine = await path.storage.read(lambda connection: tasks(connection, path, department))
    task = next((one for one in mine if one.asked.question == question), None)
    if task is None:
        raise Refused(Code.NOT_FOUND)
    answer = _read(path, task.asked, task.known, lambda asked: task.connector.answer_in(typed, asked), typed.staff)
    if answer.outcome is Outcome.GARBLED:
        raise Refused(Code.INVALID_REQUEST, member=answer.answer.raw_code or "answer")
    if not await _keep(path, task.asked, answer, None):
        raise Refused(Code.NOT_FOUND)


async def _sought(
    path: ExchangePath, department: str, verified: Sequence[tuple[Pushed, PushConnector]]
) -> tuple[Pushed, PushConnector, Waiting, Known | None]:
    """Which question it answers. Raises Refused: not_found; busy while we have not recorded yet that we wait for it."""
    loop = asyncio.get_running_loop()
    until = loop.time() + RELEASED_WITHIN
    while True:
        found = await path.storage.read(lambda connection: _asked(connection, path, department, verified))
        if found is not None:
            return found
        if loop.time() >= until:
            raise Refused(Code.BUSY)
        await asyncio.sleep(_LOOK_EVERY)


def _asked(
    connection: Connection, path: ExchangePath, department: str, verified: Sequence[tuple[Pushed, PushConnector]]
) -> tuple[Pushed, PushConnector, Waiting, Known | None] | None:
    """Which of this department's questions it answers, on the very route on which it was put; None where not yet."""
    # This first: what is released in between is then found waiting
    under_way = [asked_under_way(connection, posted.question) == one.item for posted, one in verified]
    for posted, connector in verified:
        asked = waiting.by_question(connection, department, posted.question)
        if asked is not None and (asked.item, asked.route) == (connector.item, connector.route):
            return posted, connector, asked, know(path, connection, asked)
    if not any(under_way):
        raise Refused(Code.NOT_FOUND)
    return None


def _read(
    path: ExchangePath, asked: Waiting, known: Known, reading: Callable[[Question], Answer], staff: str = ""
) -> Minimised:
    answer = path.directory.read(known.question, asked.route, lambda: reading(known.question))
    minimised = minimise(known.line, answer)
    return minimised if not staff else minimised.by(staff)


async def _keep(path: ExchangePath, asked: Waiting, answer: Minimised, posted: Posted | None) -> bool:
    return (
        await path.storage.record(
            lambda transaction: late_answers.keep(transaction, path.subjects, asked, answer, posted)
        )
    ).value


def _stands(path: ExchangePath, known: Known) -> bool:
    refusal: Refusal | None = known.line.party.granted.refusal(path.now())
    return refusal is None
