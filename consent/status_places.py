"""Where each consent's status stands in the public lists: a random place, taken when there is first something to sign.

A place says nothing of a person: it is drawn at random among many, and a request keeps the one it has.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, insert, select

from audit.batch import Transaction
from consent import grants, tables
from consent.status_list import INVALID, SUSPENDED

BITS: Final = 2
SIZE: Final = 1 << 17
"""Places in a list: 32 KiB before compression, and a crowd large enough to be nobody in."""
TRIES: Final = 4
"""Draws before the next list is begun: until then about two thirds of a list are taken."""
MEANING: Final[Mapping[str, int]] = {grants.WITHDRAWN: INVALID, grants.PAUSED: SUSPENDED}
"""Every other state is VALID: that a consent has expired or is used up is not the list's to say."""


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of one list."""

    number: int
    """Of the list, from 1."""
    idx: int


def place_of(transaction: Transaction, request: str) -> Place:
    """The place of the consent that this request may lead to; drawn once, in the caller's unit of work."""
    table = tables.status
    known = transaction.connection.execute(
        select(table.c.list, table.c.idx).where(table.c.request == request)
    ).one_or_none()
    if known is not None:
        return Place(known.list, known.idx)
    place = _draw(transaction.connection)
    transaction.connection.execute(insert(table).values(list=place.number, idx=place.idx, request=request))
    return place


def newest_list(connection: Connection) -> int:
    """The number of the newest list; 0 where there is none yet."""
    return connection.execute(select(func.max(tables.status.c.list))).scalar_one() or 0


def statuses(connection: Connection, number: int) -> dict[int, int]:
    """Of one list, every status that is not VALID, by its index."""
    return {idx: MEANING[status] for idx, status in grants.ended_or_paused(connection, number)}


def _draw(connection: Connection) -> Place:
    # The ledger's units run one after another, so what is free here is free until the commit
    table = tables.status
    number = max(1, newest_list(connection))
    for _ in range(TRIES):
        idx = secrets.randbelow(SIZE)
        taken = select(table.c.idx).where(table.c.list == number, table.c.idx == idx)
        if connection.execute(taken).one_or_none() is None:
            return Place(number, idx)
    return Place(number + 1, secrets.randbelow(SIZE))
