"""Items that a department has not answered yet: one row each, which any process may carry on.

 begun      in the unit of work that released the item as `pending`
 claimed    by one process at a time, for as long as one asking may take; a dead process's claim runs out
 answered   the answer, cut to what was granted, is kept (consent/kept.py) in the same unit
 collected  in the unit that released it; a final one may be collected again within the bounds of a repeat
 ended      collected and over, its consent ended, its person erased, or past its time

Every function here is (part of) a unit of work without entries, or a read.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from audit.batch import Transaction
from broker import tables
from broker.exchange_request import Line
from broker.repeats import AGAIN_AT_MOST, AGAIN_WITHIN
from connectors.contract import Answer, Ticket
from consent import grants, kept
from consent.kept import Consented
from policies.vocabulary import Outcome

AT_ONCE: Final = 50
_TABLE: Final = tables.waiting


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row at one moment (broker/tables.py says what each member is)."""

    id: str
    requester: str
    exchange: str
    party: str
    item: str
    call: str
    admitted: int
    released: int
    iss: str
    jti: str
    fields: tuple[str, ...]
    operator: str
    desk: str
    department: str
    question: str
    route: str
    state: str
    next_at: int
    give_up_at: int
    leased_until: int
    answered_at: int | None
    pushed: str | None
    pushed_sha256: bytes | None
    collected_at: int | None
    collected: int
    answers_at: int | None

    @property
    def left(self) -> "Left":
        return Left(self.route, self.answers_at)

    @property
    def name(self) -> tuple[str, str]:
        return self.party, self.item

    def may_be_collected(self, now: int) -> bool:
        """Whether its answer may still be given: the first time always, then as a repeat."""
        if self.collected_at is None:
            return True
        return now <= self.collected_at + AGAIN_WITHIN and self.collected <= AGAIN_AT_MOST


@dataclass(frozen=True, slots=True)
class Left:
    """On which route an item was left pending, and by when its department means to answer."""

    route: str
    answers_at: int | None

    def answer(self, now: float) -> Answer:
        """What is said of it while it is."""
        expected = datetime.fromtimestamp(self.answers_at, UTC) if self.answers_at is not None else None
        as_of = datetime.fromtimestamp(now, UTC)
        return Answer(outcome=Outcome.PENDING, route=self.route, as_of=as_of, retry_at=expected)


@dataclass(frozen=True, slots=True)
class Asked:
    """The call in which an item was left pending: its own indexes, and who asked."""

    requester: str
    exchange: str
    call: str
    admitted: int
    released: int
    operator: str
    desk: str
    consents: Mapping[str, Consented]
    """By party, what it rests on."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one route has not answered yet."""

    count: int
    oldest: int | None
    """When whoever waits longest was first told that it is pending."""


def begin(transaction: Transaction, asked: Asked, line: Line, question: str, answer: Answer) -> None:
    """Wait for an item, from the release that said so. `answer` is `pending`, with its ticket."""
    ticket = answer.ticket
    assert ticket is not None
    now = transaction.time // 1_000_000
    claims = line.party.consent.claims
    give_up_at = now + int(ticket.give_up_after)
    waiting = f"wt_{secrets.token_urlsafe(16)}"
    kept.expect(transaction, waiting, [asked.consents[party] for party in sorted(line.concerned)])
    transaction.connection.execute(
        insert(_TABLE).values(
            id=waiting,
            requester=asked.requester,
            exchange=asked.exchange,
            party=claims.party,
            item=line.item.id,
            call=asked.call,
            admitted=asked.admitted,
            released=asked.released,
            iss=claims.iss,
            jti=claims.jti,
            fields=json.dumps(line.fields).encode(),
            operator=asked.operator,
            desk=asked.desk,
            department=line.item.department,
            question=question,
            route=answer.route,
            state=ticket.state,
            next_at=_next(now, ticket, give_up_at),
            give_up_at=give_up_at,
            leased_until=0,
            collected=0,
            answers_at=int(answer.retry_at.timestamp()) if answer.retry_at is not None else None,
        )
    )


def move_to(transaction: Transaction, asked: Asked, name: tuple[str, str]) -> None:
    """A repeat of the exchange found it still waiting: it belongs to the newer call from here on."""
    mine = (_TABLE.c.requester == asked.requester, _TABLE.c.exchange == asked.exchange)
    party, item = name
    transaction.connection.execute(
        update(_TABLE)
        .where(*mine, _TABLE.c.party == party, _TABLE.c.item == item)
        .values(call=asked.call, admitted=asked.admitted, released=asked.released)
    )


def of_exchange(connection: Connection, requester: str, exchange: str) -> Sequence[Waiting]:
    """What is waited for or kept under the exchange's newest call that left something pending."""
    mine = (_TABLE.c.requester == requester, _TABLE.c.exchange == exchange)
    rows = connection.execute(select(_TABLE).where(*mine).order_by(_TABLE.c.party, _TABLE.c.item)).all()
    newest = max((row.admitted for row in rows), default=0)
    return [_waiting(row) for row in rows if row.admitted == newest]


def of_department(connection: Connection, department: str) -> Sequence[Waiting]:
    """What this department has not answered yet, the oldest first."""
    mine = (_TABLE.c.department == department, _TABLE.c.answered_at.is_(None))
    rows = connection.execute(select(_TABLE).where(*mine).order_by(_TABLE.c.admitted))
    return [_waiting(row) for row in rows]


def backlogs(connection: Connection) -> Mapping[tuple[str, str], Backlog]:
    """By department and route; where nothing is waited for, nothing stands here."""
    exchange = tables.exchange
    asked = (exchange.c.requester == _TABLE.c.requester) & (exchange.c.exchange == _TABLE.c.exchange)
    route = (_TABLE.c.department, _TABLE.c.route)
    counted = (func.count(), func.min(exchange.c.first_released_at))
    statement = select(*route, *counted).select_from(_TABLE.outerjoin(exchange, asked))
    rows = connection.execute(statement.where(_TABLE.c.answered_at.is_(None)).group_by(*route))
    return {(department, name): Backlog(count, oldest) for department, name, count, oldest in rows}


def by_question(connection: Connection, department: str, question: str) -> Waiting | None:
    """What this department was asked under this number; None for another department's, and for none."""
    row = connection.execute(
        select(_TABLE).where(_TABLE.c.question == question, _TABLE.c.department == department)
    ).one_or_none()
    return _waiting(row) if row is not None else None


def due(connection: Connection, now: float) -> Sequence[Waiting]:
    """What is worth asking for again, or is to be given up, and nobody has claimed."""
    rows = connection.execute(
        select(_TABLE)
        .where(_TABLE.c.answered_at.is_(None), _TABLE.c.next_at <= int(now), _TABLE.c.leased_until <= int(now))
        .order_by(_TABLE.c.next_at)
        .limit(AT_ONCE)
    )
    return [_waiting(row) for row in rows]


def claim(transaction: Transaction, waiting: Waiting, seconds: float) -> bool:
    """Whether this process alone carries it on now, as it was read."""
    now = transaction.time // 1_000_000
    if find(transaction.connection, waiting.id) != waiting or waiting.leased_until > now:
        return False  # gone, answered, or another process was faster
    set_values(transaction, waiting.id, leased_until=now + int(seconds) + 1)
    return True


def put_off(transaction: Transaction, waiting: Waiting, ticket: Ticket) -> None:
    """No answer yet: ask again later, until it is given up."""
    now = transaction.time // 1_000_000
    set_values(
        transaction,
        waiting.id,
        state=ticket.state,
        next_at=_next(now, ticket, waiting.give_up_at),
        leased_until=0,
    )


def find(connection: Connection, waiting: str) -> Waiting | None:
    row = connection.execute(select(_TABLE).where(_TABLE.c.id == waiting)).one_or_none()
    return _waiting(row) if row is not None else None


def set_values(transaction: Transaction, waiting: str, **values: Any) -> None:
    transaction.connection.execute(update(_TABLE).where(_TABLE.c.id == waiting).values(**values))


def end(transaction: Transaction, waiting: str) -> None:
    """Nobody waits for it any more, and nothing is kept of it."""
    kept.destroy(transaction, waiting)
    transaction.connection.execute(delete(_TABLE).where(_TABLE.c.id == waiting))


def clear(transaction: Transaction) -> None:
    """House-keeping: answers past their time, what belongs to a consent that has ended, what is collected and over."""
    kept.destroy_old(transaction)
    now = transaction.time // 1_000_000
    for waiting in grants.late_of_ended(transaction.connection, now):
        end(transaction, waiting)
    answered = transaction.connection.execute(select(_TABLE).where(_TABLE.c.answered_at.is_not(None))).all()
    still = kept.still_kept(transaction.connection, [row.id for row in answered])
    for row in answered:
        if row.id not in still or not _waiting(row).may_be_collected(now):
            end(transaction, row.id)


def left_under(connection: Connection, requester: str, exchange: str) -> Mapping[tuple[str, str], Left]:
    """By (party, item), what is waited for or kept under this exchange."""
    mine = (_TABLE.c.requester == requester, _TABLE.c.exchange == exchange)
    columns = (_TABLE.c.party, _TABLE.c.item, _TABLE.c.route, _TABLE.c.answers_at)
    rows = connection.execute(select(*columns).where(*mine))
    return {(row.party, row.item): Left(row.route, row.answers_at) for row in rows}


def _next(now: int, ticket: Ticket, give_up_at: int) -> int:
    after = ticket.again_after
    return give_up_at if after is None else min(now + max(1, int(after)), give_up_at)


def _waiting(row: Row[Any]) -> Waiting:
    members = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row's mapping
    members["fields"] = tuple(json.loads(row.fields))
    return Waiting(**members)
