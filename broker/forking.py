"""Accepting that the log goes on from a restored backup. Only a person may: the program itself refuses to start."""

from collections.abc import Callable

from audit.anchor import AnchorFile, extends
from audit.batch import read_head
from audit.checkpoint import LogSigner
from audit.errors import LogForked
from audit.forking import begin_fork, next_origin
from broker.database import open_database
from broker.keys import read_keys
from broker.settings import Settings
from broker.wiring import wall_clock


def accept_fork(settings: Settings, reason: str, clock: Callable[[], int] = wall_clock) -> LogSigner:
    """Go on from a restored backup under a new origin. Raises LogForked where the log is not forked at all."""
    keys = read_keys(settings.secrets, settings.log_origin)
    database, file = open_database(settings), AnchorFile(settings.anchor)
    try:
        anchored = file.read()
        with database.turn() as connection:
            head = read_head(connection)
            if anchored is None or extends(connection, anchored):
                raise LogForked("the log extends its anchor: there is no fork to accept")
            signer = keys.log.named(next_origin(head.origin))
            begun = begin_fork(connection, signer, anchored, now=clock(), reason=reason)
        file.replace(begun)
    finally:
        database.close()
    return signer
