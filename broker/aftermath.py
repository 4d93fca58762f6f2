"""What its requester says became of a released exchange: who viewed it, how it was decided. Each is an entry.

It is the requester's own word, and the log shows it as that; the broker only sees to it that there was a release.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, select

from audit import events, parts
from audit import tables as audit_tables
from audit.batch import Transaction
from audit.search import Cursor, Wanted, newest
from broker import tables
from broker.exchange_request import Operator
from policies.identifiers import read_identifier, read_label
from policies.refusals import Code, Refused
from policies.vocabulary import Outcome

AT_ONCE: Final = 100
THOUSAND_YUAN: Final = 100_000
"""In fen. An amount is told in these: enough for the figures, and nobody's exact amount stands in the log."""
MOST: Final = 1_000_000 * THOUSAND_YUAN


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members of the body; `decision` belongs to `decided` and to nothing else, `amount_fen` to an approval."""

    event: Literal["viewed", "decided"]
    operator: Operator
    decision: Literal["approved", "refused", "returned"] | msgspec.UnsetType = msgspec.UNSET
    amount_fen: int | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Release:
    """The newest release of one exchange, and those of whom something left."""

    index: int
    requester: str
    call: str
    exchange: str
    matter: str
    case: str
    subject_refs: tuple[str, ...]


def check_told(exchange: str, told: Told) -> None:
    """Raises Refused(invalid_request): what is logged next must not name a person."""
    checks: Mapping[str, Callable[[], object]] = {
        "exchange": lambda: read_identifier(exchange, range(8, 65)),
        "operator": lambda: (read_identifier(told.operator.id, range(1, 65)), read_label(told.operator.desk)),
    }
    for member, check in checks.items():
        try:
            check()
        except ValueError as error:
            raise Refused(Code.INVALID_REQUEST, member=member) from error
    if (told.event == "decided") != isinstance(told.decision, str):
        raise Refused(Code.INVALID_REQUEST, member="decision")
    if isinstance(told.amount_fen, int) and not _is_amount(told.amount_fen, told.decision):
        raise Refused(Code.INVALID_REQUEST, member="amount_fen")


def find_release(connection: Connection, requester: str, exchange: str) -> Release:
    """Raises Refused(not_found) where this requester has had nothing released under that id."""
    table = tables.exchange
    row = connection.execute(
        select(table.c.admitted, table.c.first_released_at).where(
            table.c.requester == requester, table.c.exchange == exchange
        )
    ).one_or_none()
    if row is None or row.first_released_at is None:
        raise Refused(Code.NOT_FOUND)
    [(_, admission)] = _bodies(connection, [row.admitted])
    wanted = Wanted(requester=requester, case=admission["case"], events=(events.ExchangeReleased.NAME,))
    cursor: Cursor | None = None
    while found := newest(connection, wanted, AT_ONCE, cursor):
        for index, body in _bodies(connection, found):
            if body["exchange"] == exchange:
                return _release(index, body)
        cursor = Cursor(found[-1])
    raise Refused(Code.NOT_FOUND)


def record_told(transaction: Transaction, release: Release, told: Told) -> None:
    """A unit of work. What it says stays true whatever has happened since: a release is never taken back."""
    members: dict[str, Any] = {
        "requester": release.requester,
        "matter": release.matter,
        "case": release.case,
        "call": release.call,
        "exchange": release.exchange,
        "released": release.index,
        "operator": parts.Operator(told.operator.id, told.operator.desk),
        "subject_refs": list(release.subject_refs),
    }
    if told.decision is msgspec.UNSET:
        transaction.append(events.ExchangeViewed(**members))
    else:
        transaction.append(events.ExchangeDecided(**members, decision=told.decision, amount_fen=told.amount_fen))


def _is_amount(amount_fen: int, decision: object) -> bool:
    return decision == "approved" and 0 < amount_fen <= MOST and amount_fen % THOUSAND_YUAN == 0


def _bodies(connection: Connection, indexes: Sequence[int]) -> list[tuple[int, Mapping[str, Any]]]:
    """The newest first."""
    entry = audit_tables.entry
    rows = connection.execute(
        select(entry.c.idx, entry.c.body).where(entry.c.idx.in_(indexes)).order_by(entry.c.idx.desc())
    )
    return [(row.idx, json.loads(row.body)["body"]) for row in rows]


def _release(index: int, body: Mapping[str, Any]) -> Release:
    concerned = [one["subject_ref"] for one in body["results"] if one["outcome"] != Outcome.WITHHELD]
    return Release(
        index=index,
        requester=body["requester"],
        call=body["call"],
        exchange=body["exchange"],
        matter=body["matter"],
        case=body["case"],
        subject_refs=tuple(dict.fromkeys(concerned)),
    )
