"""Asking again for what departments left pending, whichever process asked first; and giving up in time.

A claim lasts as long as one asking may take and a little more, so a dead process's waitings are taken over. What is
worth trying again (a department that is down at the moment, a reply that nobody could read) is put off; anything else
is the answer.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from audit.batch import Transaction
from broker import late_answers, waiting
from broker.alarms import FINE, Alarm
from broker.exchange import ExchangePath
from broker.exchange_request import Line
from broker.own_entries import entries
from broker.questions import line_of, question_of
from broker.release import minimise
from broker.stewards.outages import announced_outages
from broker.telemetry import Telemetry
from broker.waiting import Waiting
from connectors.contract import Answer, Question, Ticket
from connectors.hours import Outage
from connectors.trouble import UNREADABLE
from consent import grants
from consent.grants import Granted
from consent.subjects import read_subjects
from policies.refusals import Refused
from policies.vocabulary import TRANSIENT_OUTCOMES, Outcome

LOOK_EVERY: Final = 0.5
"""Seconds."""
SPARE: Final = 5.0
"""Seconds beyond a route's deadline for which a claim lasts."""
TRY_AGAIN: Final = 60.0
"""Seconds, where a department is in trouble at the moment."""
LONGEST_PAUSE: Final = 3600.0
"""Seconds, where it says when it will answer: its route may be changed meanwhile."""
_PASSING: Final = TRANSIENT_OUTCOMES - {Outcome.GARBLED}


@dataclass(frozen=True, slots=True)
class Known:
    """A waiting item as it may still be answered: the line that was admitted, and the question that was put."""

    line: Line
    question: Question
    expires: int
    """When the first of its consents does, in seconds since 1970."""
    outages: tuple[Outage, ...] = ()
    """When its department said that it will not answer."""


class CarryingOn:
    """Lives on the server's event loop and remembers nothing: all that counts stands in the rows."""

    def __init__(self, path: ExchangePath) -> None:
        self._path = path
        self._storage = path.storage

    async def run(self, telemetry: Telemetry) -> None:
        """Look and carry on, for ever; a round that fails is told and the next one comes."""
        alarm = Alarm(telemetry.log, "late_answers")
        while True:
            try:
                await self._round()
                alarm.set(FINE)
            except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a round meets
                alarm.set(f"not carried on: {type(error).__name__}")
            await asyncio.sleep(LOOK_EVERY)

    async def _round(self) -> None:
        due = await self._storage.read(lambda connection: waiting.due(connection, self._path.now()))
        await asyncio.gather(*map(self._carry_on, due))

    async def _carry_on(self, asked: Waiting) -> None:
        seconds = self._path.directory.deadline(asked.item, asked.route) + SPARE
        if not (await self._storage.record(lambda transaction: waiting.claim(transaction, asked, seconds))).value:
            return
        known = await self._storage.read(lambda connection: know(self._path, connection, asked))
        if known is None:
            await self._storage.record(lambda transaction: waiting.end(transaction, asked.id))
            return
        answer = await self._ask(asked, known)
        await self._storage.record(lambda transaction: self._note(transaction, asked, known.line, answer))

    async def _ask(self, asked: Waiting, known: Known) -> Answer:
        left = asked.give_up_at - self._path.now()
        ticket = Ticket(asked.state, TRY_AGAIN, max(0.0, left))
        answer = await self._path.directory.carry_on(known.question, asked.route, ticket, known.outages)
        if _passes(answer):
            answer = replace(answer, outcome=Outcome.PENDING, ticket=replace(ticket, again_after=self._pause(answer)))
        if answer.outcome is Outcome.PENDING and self._path.now() >= asked.give_up_at:
            gave_up = datetime.fromtimestamp(self._path.now(), UTC)
            return Answer(outcome=Outcome.TIMEOUT, route=asked.route, as_of=gave_up, raw_code="gave_up")
        return answer

    def _pause(self, answer: Answer) -> float:
        """Seconds until it is worth trying again a department that could not be asked."""
        known = answer.retry_at.timestamp() - self._path.now() if answer.retry_at is not None else 0.0
        return min(max(known, TRY_AGAIN), LONGEST_PAUSE)

    def _note(self, transaction: Transaction, asked: Waiting, line: Line, answer: Answer) -> None:
        if answer.outcome is Outcome.PENDING:
            assert answer.ticket is not None
            waiting.put_off(transaction, asked, answer.ticket)
        else:
            late_answers.keep(transaction, self._path.subjects, asked, minimise(line, answer))


def _passes(answer: Answer) -> bool:
    """Whether the department is in trouble at the moment, and its answer may still be had at another look."""
    unreadable = answer.outcome is Outcome.GARBLED and answer.raw_code in UNREADABLE
    return (unreadable or answer.outcome in _PASSING) and not answer.ended


def know(path: ExchangePath, connection: Connection, asked: Waiting) -> Known | None:
    """None where a consent has ended, a person is erased, or token and catalogue no longer know the item."""
    try:
        line = line_of(connection, asked, path.catalogue, path.key_of, path.issuer)
    except Refused:
        return None
    concerned = _concerned(connection, asked, line)
    found = [grants.find_granted(connection, *consent) for consent in concerned.values()]
    granted = [one for one in found if one is not None and not _has_ended(one, path.now())]
    if len(granted) < len(concerned):
        return None
    refs = {party: one.subject_ref for party, one in zip(concerned, granted, strict=True)}
    people = read_subjects(connection, path.subjects, list(refs.values()))
    if not people.keys() >= set(refs.values()):
        return None
    asking = {"call": asked.question, "requester": asked.requester, "operator": asked.operator}
    question = question_of(line, {party: people[ref] for party, ref in refs.items()}, **asking)
    outages = announced_outages(connection, path.now()).get(asked.item, ())
    return Known(line, question, min(one.expires for one in granted), outages)


def _concerned(connection: Connection, asked: Waiting, line: Line) -> Mapping[str, tuple[str, str]]:
    """By party, the consents that the admission rested on for this line, as (iss, jti)."""
    admitted = entries(connection, [asked.admitted])[asked.admitted]["body"]
    consents = {one["party"]: (one["iss"], one["jti"]) for one in admitted["consents"]}
    return {party: consents[party] for party in sorted(line.concerned)}


def _has_ended(granted: Granted, now: float) -> bool:
    refusal = granted.refusal(now)
    return refusal is not None and refusal.code in late_answers.ENDED
