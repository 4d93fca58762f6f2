"""Admissions that were cut short: closed as `exchange.interrupted`, once nobody can end them any more.

Either their process died (closed at the next start of any), or the ledger failed their release (closed by their process
when it is asked again or keeps house, for another process can only say that it is running).
"""

import json
from collections.abc import Set as AbstractSet
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from audit import events
from audit import tables as audit_tables
from audit.batch import Transaction
from broker import tables

ADMITTED: Final = "admitted"
INTERRUPTED: Final = "interrupted"


def running_processes(connection: Connection) -> frozenset[str]:
    """The processes that have admitted something and not ended it."""
    table = tables.exchange
    return frozenset(connection.execute(select(table.c.process).where(table.c.status == ADMITTED).distinct()).scalars())


def close_interrupted(transaction: Transaction, dead: AbstractSet[str]) -> int:
    """Close what dead processes left between admission and release; how many."""
    table = tables.exchange
    rows = transaction.connection.execute(select(table).where(table.c.status == ADMITTED)).all()
    left_behind = [row for row in rows if row.process in dead]
    for row in left_behind:
        interrupt(transaction, row)
    return len(left_behind)


def close_failed(transaction: Transaction, process: str, under_way: AbstractSet[str]) -> int:
    """Close what this living process admitted and no longer walks, for the ledger failed it; how many.

    `under_way` holds each call before its admission is queued and until its walk has ended.
    """
    table = tables.exchange
    mine = select(table).where(table.c.status == ADMITTED, table.c.process == process)
    failed = [row for row in transaction.connection.execute(mine).all() if row.call not in under_way]
    for row in failed:
        interrupt(transaction, row)
    return len(failed)


def interrupt(transaction: Transaction, row: Row[Any]) -> None:
    """Close one admission that nobody will end."""
    table = tables.exchange
    transaction.connection.execute(
        update(table)
        .where(table.c.requester == row.requester, table.c.exchange == row.exchange)
        .values(status=INTERRUPTED)
    )
    transaction.append(
        events.ExchangeInterrupted(
            call=row.call,
            exchange=row.exchange,
            admitted=row.admitted,
            requester=row.requester,
            process=row.process,
            **_concerned(transaction, row.admitted),
        )
    )


def _concerned(transaction: Transaction, admitted: int) -> dict[str, Any]:
    """Matter, case and people of an admission, from its own entry."""
    entry = audit_tables.entry
    raw = transaction.connection.execute(select(entry.c.body).where(entry.c.idx == admitted)).scalar_one()
    body = json.loads(raw)["body"]
    people = [consent["subject_ref"] for consent in body["consents"]]
    return {"matter": body["matter"], "case": body["case"], "subject_refs": people}
