"""Accepting that the log goes on from a restored backup. Only a person may: the program itself refuses to start.

What was withdrawn, erased or used up in the lost entries is not known any more. So releases are stopped in the same
commit, until a person has seen to that and starts them.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from audit.anchor import Anchored, AnchorFile, extends
from audit.backup_events import BackupRestored
from audit.batch import Head, Transaction, read_head
from audit.checkpoint import LogSigner
from audit.errors import LogForked
from audit.forking import Break, begin_fork, next_origin
from broker.backup_record import DONE, RESTORED, Act, note, read_acts, unfinished
from broker.database import open_database
from broker.keys import read_keys
from broker.settings import Settings
from broker.standing import EVERYTHING
from broker.stops import is_stopped, stop_releases
from broker.wiring import wall_clock

WHY_STOPPED: Final = "the log was forked: withdrawals and erasures among the lost entries are not known"


def accept_fork(settings: Settings, reason: str, clock: Callable[[], int] = wall_clock) -> LogSigner:
    """Go on from a restored backup under a new origin. Raises LogForked where the log is not forked at all."""
    keys = read_keys(settings.secrets, settings.log_origin)
    database, file = open_database(settings), AnchorFile(settings.anchor)
    try:
        anchored = file.read()
        with database.turn() as connection:
            head = read_head(connection)
            broken = Break(_known(connection, head, anchored), reason)
            signer = keys.log.named(next_origin(head.origin))
            begun = begin_fork(
                connection, signer, broken, now=clock(), then=lambda transaction: _go_on(transaction, head)
            )
        file.replace(begun)
    finally:
        database.close()
    return signer


def _known(connection: Connection, head: Head, anchored: Anchored | None) -> Anchored:
    """What the lost log held at least. Raises LogForked where nothing is lost."""
    if anchored is not None and not extends(connection, anchored):
        return anchored
    if anchored is None and unfinished(read_acts(connection)) is not None:
        return Anchored(head.frontier.size, head.frontier.root())
    raise LogForked("the log extends its anchor: there is no fork to accept")


def _go_on(transaction: Transaction, head: Head) -> None:
    restored = unfinished(read_acts(transaction.connection))
    if restored is not None:
        size, root = head.frontier.size, head.frontier.root().hex()
        transaction.append(BackupRestored(backup=restored.backup, size=size, root=root, newest="no"))
        note(transaction.connection, RESTORED, Act(restored.backup, restored.at, DONE))
    if not is_stopped(transaction, EVERYTHING):
        stop_releases(transaction, EVERYTHING, WHY_STOPPED)
