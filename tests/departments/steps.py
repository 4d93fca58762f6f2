"""What is done with a department while it is bent: it is asked, or carried on with after it left a question pending."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from connectors.contract import Answer, Question, Ticket
from connectors.directory import Directory
from policies.vocabulary import Outcome
from tests.connectors.asking import question
from tests.departments.running import HASTY, HELD, Kind, Running

EXPECT = {"marital_status": "20"}
LOOK_EVERY = 0.1
PREPARED_WITHIN = 20.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Asking:
    """Each time a new question."""

    kind: Kind

    async def once(self, directory: Directory) -> Answer:
        return await directory.ask(fresh(self.kind))

    async def settled(self, directory: Directory, patience: float) -> Answer:
        del patience  # the route's own deadline bounds it
        return await self.once(directory)


@dataclass(frozen=True)
class CarryingOn:
    """One question that was left pending."""

    department: Running
    question: Question
    route: str
    ticket: Ticket

    async def once(self, directory: Directory) -> Answer:
        """Look whether there is an answer by now."""
        brought = self.department.brought
        came = brought(directory, self.question) if brought is not None else None
        return came or await directory.carry_on(self.question, self.route, self.ticket)

    async def settled(self, directory: Directory, patience: float) -> Answer:
        """Look until it is decided or patience ends."""
        end = time.monotonic() + patience
        while True:
            answer = await self.once(directory)
            if answer.outcome is not Outcome.PENDING or time.monotonic() >= end:
                return answer
            await asyncio.sleep(LOOK_EVERY)


Step = Asking | CarryingOn


def fresh(kind: Kind) -> Question:
    """With a number of its own, as every asking has."""
    return replace(question(kind.item, expect=EXPECT), call=f"call-{next(_numbers)}.1")


async def prepared(department: Running, kind: Kind, count: int) -> Sequence[Step]:
    """So many steps for the fault that comes next; what is carried on with is asked now, while answers are held."""
    if not kind.carried_on:
        return [Asking(kind)] * count
    await asyncio.to_thread(department.bend, HELD)
    directory = department.directory(HASTY)
    try:
        return await asyncio.gather(*(_left_pending(department, kind, directory) for _ in range(count)))
    finally:
        await directory.aclose()


async def _left_pending(department: Running, kind: Kind, directory: Directory) -> CarryingOn:
    end = time.monotonic() + PREPARED_WITHIN
    while True:
        asked = fresh(kind)
        answer = await directory.ask(asked)
        if answer.ticket is not None:
            assert (answer.outcome, answer.records) == (Outcome.PENDING, ())
            return CarryingOn(department, asked, answer.route, answer.ticket)
        assert time.monotonic() < end, answer.raw_code
        await asyncio.sleep(LOOK_EVERY)


async def whole(department: Running, kind: Kind, directory: Directory, patience: float) -> Answer:
    """From the asking to what a healthy department of this row comes to."""
    asked = fresh(kind)
    answer = await directory.ask(asked)
    if not kind.carried_on or answer.ticket is None:
        return answer
    return await CarryingOn(department, asked, answer.route, answer.ticket).settled(directory, patience)
