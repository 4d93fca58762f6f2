"""Going on after a restored backup, in the open: a new origin whose first entry records the break.

Receipts of what the backup lost can never be honoured by the old origin again, and witnesses rightly refuse to see it
go back. So a person accepts the fork; the log goes on under a new name, and says so itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, update

from audit import tables
from audit.anchor import Anchored
from audit.batch import Transaction, open_batch, seal
from audit.checkpoint import LogSigner
from audit.events import LogForkAccepted

_NUMBERED: Final = re.compile(r"(?P<origin>.+)/fork-(?P<number>[0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Break:
    """What the lost log was known to hold, and why a person goes on without it."""

    anchored: Anchored
    reason: str


def next_origin(origin: str) -> str:
    """The name of the log after one more fork: `broker.example/log`, `broker.example/log/fork-1`, and so on."""
    numbered = _NUMBERED.fullmatch(origin)
    if numbered is None:
        return f"{origin}/fork-1"
    return f"{numbered['origin']}/fork-{int(numbered['number']) + 1}"


def begin_fork(
    connection: Connection, signer: LogSigner, broken: Break, *, now: int, then: Callable[[Transaction], None]
) -> Anchored:
    """Record the break under the new origin that `signer` is named for; what the anchor must now be.

    Runs in the caller's write transaction; `then` adds to the same batch. `now` is in microseconds.
    """
    batch = open_batch(connection, now)
    old = batch.head
    transaction = Transaction(connection, batch)
    transaction.append(
        LogForkAccepted(
            old_origin=old.origin,
            size=old.frontier.size,
            root=old.frontier.root().hex(),
            anchored_size=broken.anchored.size,
            anchored_root=broken.anchored.root.hex(),
            reason=broken.reason,
        )
    )
    then(transaction)
    batch.entries += transaction.appended
    connection.execute(update(tables.head).values(origin=signer.name))
    seal(connection, batch, signer)
    frontier = batch.growth.frontier()
    return Anchored(frontier.size, frontier.root())
