"""Requesters' hooks: where each is told of its events, how far it has been told, and when to try again.

Whoever is not reached is tried ever more rarely, and not at all after TRIES failures in a row: the feed holds
everything, and registering the hook anew goes on from where it stopped.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from audit.batch import Transaction
from audit.events import HookAdded, HookRemoved
from broker import requesters, tables
from broker.outward import origin_of, read_url
from policies.refusals import Code, Refused

TRIES: Final = 12
"""About a day, with the pauses below."""
FIRST_PAUSE: Final = 15
"""Seconds; each further one is twice as long."""
LONGEST_PAUSE: Final = 4 * 3600
LEASE: Final = 60
"""Seconds for which one process alone delivers: far longer than one delivery can take."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook's row at one moment. `reached` is the last index of the log that it was told of."""

    id: str
    requester: str
    url: str
    reached: int
    failures: int
    next_at: int
    """Seconds since 1970."""

    @property
    def stopped(self) -> bool:
        return self.failures >= TRIES


def add(transaction: Transaction, requester: str, url: str) -> Hook:
    """Register an address, from now on; the same one again starts it anew where it stopped.

    Raises Refused(not_found) for an unknown requester, Refused(invalid_request) for no such address.
    """
    if requesters.find(transaction.connection, requester) is None:
        raise Refused(Code.NOT_FOUND)
    table = tables.hook
    known = [hook for hook in read_all(transaction.connection) if (hook.requester, hook.url) == (requester, url)]
    if known:
        _set(transaction, known[0], failures=0, next_at=0)
        return known[0]
    hook = Hook(f"hk_{secrets.token_urlsafe(12)}", requester, read_url(url), transaction.next_index - 1, 0, 0)
    members = {name: getattr(hook, name) for name in ("id", "requester", "url", "reached", "failures", "next_at")}
    transaction.connection.execute(insert(table).values(**members))
    transaction.append(HookAdded(requester=requester, hook=hook.id, origin=origin_of(hook.url)))
    return hook


def remove(transaction: Transaction, hook: str) -> None:
    """Raises Refused(not_found)."""
    table = tables.hook
    row = transaction.connection.execute(select(table).where(table.c.id == hook)).one_or_none()
    if row is None:
        raise Refused(Code.NOT_FOUND)
    transaction.connection.execute(delete(table).where(table.c.id == hook))
    transaction.append(HookRemoved(requester=row.requester, hook=hook))


def read_all(connection: Connection) -> Sequence[Hook]:
    rows = connection.execute(select(tables.hook).order_by(tables.hook.c.id))
    return [_hook(row) for row in rows]


def claim(transaction: Transaction, hook: Hook) -> bool:
    """Whether this process alone may deliver to it now, as it was read."""
    table = tables.hook
    row = transaction.connection.execute(select(table).where(table.c.id == hook.id)).one_or_none()
    if row is None or _hook(row) != hook:
        return False  # gone, or another process was faster
    _set(transaction, hook, next_at=transaction.time // 1_000_000 + LEASE)
    return True


def delivered(transaction: Transaction, hook: Hook, reached: int) -> None:
    """It was told everything up to there."""
    _set(transaction, hook, reached=reached, failures=0, next_at=0)


def failed(transaction: Transaction, hook: Hook) -> None:
    """It will be tried again, later and later, until it has failed too often."""
    pause = min(FIRST_PAUSE << hook.failures, LONGEST_PAUSE)
    _set(transaction, hook, failures=hook.failures + 1, next_at=transaction.time // 1_000_000 + pause)


def _set(transaction: Transaction, hook: Hook, **values: Any) -> None:
    transaction.connection.execute(update(tables.hook).where(tables.hook.c.id == hook.id).values(**values))


def _hook(row: Row[Any]) -> Hook:
    return Hook(row.id, row.requester, row.url, row.reached, row.failures, row.next_at)
