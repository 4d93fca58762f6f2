"""A department that hands out a ticket and has the answer some time later: submit, poll, confirm, collect.

The platform's states are configured: `waiting`, `ready`, and those that end it without an answer. Confirming tells the
department that we are about to take the answer; it keeps the answer, so a crash in between costs nothing.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec

from connectors.contract import Answer, Question, Ticket
from connectors.gateways.credentials import Credentials
from connectors.memory import Memory
from connectors.paths import MISSING, look, path
from connectors.patience import Patience, left_pending
from connectors.reading import AnswerForm, Status, read_aside, read_reply
from connectors.records import Reply, answer
from connectors.requests import RequestForm, check_follow_up, check_request, outgoing
from connectors.route import Place, check_records
from connectors.status_checks import check_codes, check_meanings
from connectors.templates import values
from connectors.transport import OverHttp, Sending, check_members, check_transport
from connectors.trouble import garbled
from connectors.values import as_text
from policies.vocabulary import Item, Outcome

_LONGEST_TICKET = 100


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the question is handed in, and where in the reply the ticket stands."""

    request: RequestForm
    status: Status
    ticket_at: Annotated[str, msgspec.Meta(min_length=1)]


class Polling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the ticket's state is asked for, and what each state means; an unlisted state is garbled."""

    request: RequestForm
    status: Status
    state_at: Annotated[str, msgspec.Meta(min_length=1)]
    waiting: tuple[str, ...]
    ready: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    ended: dict[str, Outcome] = {}


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How we say that we take the answer now."""

    request: RequestForm
    status: Status


class Collecting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    request: RequestForm
    answer: AnswerForm


class TicketRoute(OverHttp, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="ticket"):
    """One way to a department's item by ticket, in JSON."""

    submit: Submission
    poll: Polling
    confirm: Confirmation | None = None
    collect: Collecting
    late: Patience = Patience()


TicketMaker: TypeAlias = Callable[[Memory, Callable[[], datetime]], "TicketConnector"]


def check_ticket(route: TicketRoute, item: Item, place: Place, secrets_folder: Path) -> TicketMaker:
    """Return what makes the connector. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    submit = place.at("submit")
    check_request(route.submit.request, item, submit.at("request"))
    check_members(route.authentication, route.submit.request, submit.at("request"))
    check_codes(route.submit.status, submit.at("status", "codes"))
    for request, status, at in _follow_ups(route, place):
        check_follow_up(request, item, at.at("request"))
        check_members(route.authentication, request, at.at("request"))
        check_codes(status, at.at(*(("answer",) if status is route.collect.answer.status else ()), "status", "codes"))
    _check_states(route.poll, place.at("poll"))
    connect = check_transport(route, place, secrets_folder)
    return lambda memory, now: TicketConnector(route, connect(memory, now), now)


def _follow_ups(route: TicketRoute, place: Place) -> list[tuple[RequestForm, Status, Place]]:
    steps = [
        (route.poll.request, route.poll.status, place.at("poll")),
        (route.collect.request, route.collect.answer.status, place.at("collect")),
    ]
    if route.confirm is not None:
        steps.append((route.confirm.request, route.confirm.status, place.at("confirm")))
    return steps


def _check_states(poll: Polling, place: Place) -> None:
    states = [*poll.waiting, *poll.ready, *poll.ended]
    if len(set(states)) != len(states):
        raise place.error("one state cannot mean two things")
    check_meanings(poll.ended, place.at("ended"))


class TicketConnector:
    """Asks over one pool of connections; between its calls it remembers nothing."""

    calls_again = True

    def __init__(self, route: TicketRoute, transport: Sending, now: Callable[[], datetime]) -> None:
        self.route = route.name
        self._form = route
        self._now = now
        self._transport = transport

    async def fetch(self, question: Question) -> Answer:
        """Hand the question in. Raises DepartmentError, OSError or TimeoutError where it was not taken."""
        submit = self._form.submit
        tree = await self._said(question, submit.request, submit.status)
        ticket = _text(tree, submit.ticket_at)
        if not 0 < len(ticket) <= _LONGEST_TICKET:
            raise garbled("ticket_missing")
        return left_pending(self.route, self._form.late, ticket, self._now())

    async def carry_on(self, question: Question, ticket: Ticket) -> Answer:
        """Ask for the ticket's state, and for its answer where it is ready."""
        poll = self._form.poll
        state = _text(await self._said(question, poll.request, poll.status, ticket.state), poll.state_at)
        if state in poll.ended:
            outcome = poll.ended[state]
            return Answer(outcome=outcome, route=self.route, as_of=self._now(), raw_code=f"state_{state}", ended=True)
        if state in poll.waiting:
            return left_pending(self.route, self._form.late, ticket.state, self._now(), code=f"state_{state}")
        if state not in poll.ready:
            raise garbled("unknown_state")
        return await self._collect(question, ticket.state)

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def _collect(self, question: Question, ticket: str) -> Answer:
        confirm, collect = self._form.confirm, self._form.collect
        if confirm is not None:
            await self._said(question, confirm.request, confirm.status, ticket)
        asking = partial(self._read, question, collect.request, collect.answer, ticket)
        reply = await self._transport.shown(asking)
        return answer(self._form.records, question, self.route, reply)

    async def _said(self, question: Question, form: RequestForm, status: Status, ticket: str = "") -> Any:
        """The department's whole reply. Raises DepartmentError for every code that is no success."""
        reply = await self._transport.shown(partial(self._read, question, form, _envelope(status), ticket))
        if len(reply.rows) != 1:
            raise garbled("not_one_object")
        return reply.rows[0]

    async def _read(
        self, question: Question, form: RequestForm, wrapped: AnswerForm, ticket: str, shown: Credentials
    ) -> Reply:
        filling = {**values(question, self._transport.now_ms()), "ticket": ticket}
        _, body = await self._transport.send(form.method, outgoing(form, filling, shown.members), shown)
        return await read_aside(lambda: read_reply(wrapped, body, self._now()), len(body))


def _envelope(status: Status) -> AnswerForm:
    """A reply whose whole is the one thing of interest."""
    return AnswerForm(format="json", status=status, list_at="")


def _text(tree: Any, dotted: str) -> str:
    found = look(tree, path(dotted))
    return (as_text(found) or "").strip() if found is not MISSING else ""
