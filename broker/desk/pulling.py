"""Pulling what was agreed to, collecting what comes late, asking again where there was trouble, and destroying it.

1 answer    from the broker, under the clerk's own staff number
2 verify    the receipt, with the log's key from the settings and no word of the broker's: else nothing is kept
3 keep      each item's outcome in clear, its records sealed, until the case is decided
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from audit import verify
from broker.client import Reply
from broker.desk import tables
from broker.desk.asking import parts_of
from broker.desk.cases import Case, change
from broker.desk.refusals import Refused, Why
from broker.desk.sessions import Session
from broker.desk.wiring import Desk, call
from broker.desk.words import TRANSIENT

_KEY: Final = ("case", "exchange", "party", "item")
WAIT: Final = 3
"""Seconds that a clerk waits for a late answer before she is told that it is still late."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one department said about one item."""

    exchange: str
    party: str
    item: str
    outcome: str
    department: str
    as_of: str
    records: list[dict[str, Any]] = field(repr=False)


async def pull(desk: Desk, session: Session, case: Case) -> None:
    """Ask for all that was agreed to, in each of our own parts."""
    case.must_be("agreed")
    for part in await desk.store.run(lambda connection: _own(connection, desk, case)):
        await _exchange(desk, session, case, part)
    await desk.store.run(lambda connection: change(connection, case.number, stage="answered"))


async def again(desk: Desk, session: Session, case: Case) -> None:
    """Ask again where there was trouble: the same use, newly signed."""
    case.must_be("answered")
    for part in await desk.store.run(lambda connection: _own(connection, desk, case)):
        outcomes = {one.outcome for one in await answers_of(desk, case) if one.exchange == part["exchange"]}
        if outcomes & TRANSIENT:
            await _exchange(desk, session, case, part)


async def collect(desk: Desk, case: Case) -> None:
    """What was pending and is there by now."""
    case.must_be("answered")
    late = {one.exchange for one in await answers_of(desk, case) if one.outcome == "pending"}
    for exchange in sorted(late):
        await _keep(desk, case, exchange, await call(desk.client.collect(exchange, wait=WAIT)))


async def answers_of(desk: Desk, case: Case) -> list[Answer]:
    table = tables.answer

    def work(connection: Connection) -> list[Answer]:
        rows = connection.execute(select(table).where(table.c.case == case.number))
        return [_answer(desk, row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's own name for it

    return await desk.store.run(work)


async def receipts_of(desk: Desk, case: Case) -> list[RowMapping]:
    """What proves each release; it holds nothing of the person and stays."""
    table = tables.receipt

    def work(connection: Connection) -> list[RowMapping]:
        rows = connection.execute(select(table).where(table.c.case == case.number).order_by(table.c.entry_index))
        return [row._mapping for row in rows]  # noqa: SLF001 - SQLAlchemy's own name for it

    return await desk.store.run(work)


async def show(desk: Desk, session: Session, answer: Answer) -> None:
    """Tell the broker's log that this clerk looks at a value; only then is it shown."""
    await call(desk.client.tell(answer.exchange, event="viewed", operator=session.operator))


async def decide(
    desk: Desk, session: Session, case: Case, decision: str, also: Callable[[Connection], None] = lambda _: None
) -> None:
    """Tell the broker's log what was decided, then close the case and destroy every answer; `also` in the same unit.

    Whatever fails before the last step leaves the case open: telling the log twice is better than never.
    """
    case.must_be("started", "answered", "paper", "declined", "expired", "agreed")
    for exchange in sorted({one.exchange for one in await answers_of(desk, case)}):
        await call(desk.client.tell(exchange, event="decided", operator=session.operator, decision=decision))

    def work(connection: Connection) -> None:
        also(connection)
        _destroy(connection, case)
        change(
            connection, case.number, stage="decided", decision=decision, decided=desk.now(), joint="", sealed_link=None
        )

    await desk.store.run(work)


def _destroy(connection: Connection, case: Case) -> None:
    """Outcomes stay; values and consents go. SQLite overwrites what it frees (secure_delete)."""
    connection.execute(update(tables.answer).where(tables.answer.c.case == case.number).values(sealed_records=None))
    connection.execute(update(tables.asked).where(tables.asked.c.case == case.number).values(sealed_consent=None))


def _own(connection: Connection, desk: Desk, case: Case) -> list[RowMapping]:
    """Our own parts that were agreed to, each with its exchange's id, which is kept before anything is asked."""
    for part in parts_of(connection, case):
        if part["exchange"] is None:
            mine = tables.asked.c.request == part["request"]
            connection.execute(update(tables.asked).where(mine).values(exchange=f"x-{token_urlsafe(15)}"))
    own = desk.settings.requester
    return [part for part in parts_of(connection, case) if part["requester"] == own and part["sealed_consent"]]


async def _exchange(desk: Desk, session: Session, case: Case, part: RowMapping) -> None:
    consent = desk.settings.vault.open(f"consent/{part['request']}", part["sealed_consent"])
    asking = desk.client.exchange(
        exchange=part["exchange"],
        consents=[consent],
        matter=part["matter"],
        case=case.number,
        operator=session.operator,
    )
    await _keep(desk, case, part["exchange"], await call(asking))


async def _keep(desk: Desk, case: Case, exchange: str, reply: Reply) -> None:
    receipt, results = reply.members["receipt"], reply.members["results"]
    try:
        verified = verify.verify_receipt(receipt, desk.settings.log_vkey, results)
        told = verified.entry.body["exchange"], verified.entry.body["case"]
    except (verify.VerificationError, KeyError):
        told = None
    if told != (exchange, case.number):
        raise Refused(Why.RECEIPT)

    def work(connection: Connection) -> None:
        for result in results:
            _keep_answer(connection, desk, case, exchange, result)
        _keep_receipt(connection, case, exchange, receipt, verified)

    await desk.store.run(work)


def _keep_answer(connection: Connection, desk: Desk, case: Case, exchange: str, result: Mapping[str, Any]) -> None:
    table = tables.answer
    names = {"case": case.number, "exchange": exchange, "party": result["party"], "item": result["item"]}
    connection.execute(delete(table).where(*(table.c[name] == value for name, value in names.items())))
    connection.execute(
        insert(table).values(
            **names,
            outcome=result["outcome"],
            department=result["source"]["department"],
            as_of=result["source"]["as_of"],
            sealed_records=desk.settings.vault.seal(_place(*names.values()), result["records"]),
        )
    )


def _keep_receipt(
    connection: Connection, case: Case, exchange: str, receipt: Mapping[str, str], verified: verify.VerifiedReceipt
) -> None:
    table, index = tables.receipt, verified.entry.index
    connection.execute(delete(table).where(table.c.case == case.number, table.c.entry_index == index))
    connection.execute(
        insert(table).values(
            case=case.number,
            exchange=exchange,
            entry_index=index,
            results=verified.results,
            entry=receipt["entry"],
            proof=receipt["proof"],
        )
    )


def _answer(desk: Desk, row: RowMapping) -> Answer:
    sealed = row["sealed_records"]
    return Answer(
        exchange=row["exchange"],
        party=row["party"],
        item=row["item"],
        outcome=row["outcome"],
        department=row["department"],
        as_of=row["as_of"],
        records=desk.settings.vault.open(_place(*(row[name] for name in _KEY)), sealed) if sealed else [],
    )


def _place(*names: str) -> str:
    return "/".join(("answer", *names))
