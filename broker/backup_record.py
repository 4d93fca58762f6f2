"""What is known of this database's backups: when the last one was made, rehearsed and restored, one row each.

Kept beside the log and not in it: a copy of a stopped broker must be the newest log there is, so nothing may be logged
after it. That a copy was begun, restored or rehearsed stands in the log too.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from audit import tables as audit_tables
from audit.anchor import Anchored
from audit.errors import LogForked
from broker import tables
from broker.backup_limits import DAY, HOUR, BackupLimits

MADE: Final = "made"
DRILLED: Final = "drilled"
"""The last drill that passed."""
FAILED: Final = "failed"
"""The last drill, where it did not pass."""
RESTORED: Final = "restored"
"""With one of the outcomes below."""

DONE: Final = "done"
"""Nothing is left to do about it."""
LOST: Final = "lost"
"""The anchor knows entries that the copy does not hold: a person must accept the fork."""
UNSURE: Final = "unsure"
"""There was no anchor to hold it against, and nobody said that nothing is missing."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done; `at` is seconds since 1970."""

    backup: str
    at: int
    outcome: str


@dataclass(frozen=True, slots=True)
class Acts:
    """The last of each. `log_began` is when the log's first entry was written, None while it is empty."""

    made: Act | None
    drilled: Act | None
    failed: Act | None
    restored: Act | None
    log_began: float | None

    def age(self, now: float) -> float | None:
        """Seconds since the last backup; None where there never was one."""
        return max(0.0, now - self.made.at) if self.made is not None else None

    def drill_age(self, now: float) -> float | None:
        """Seconds since the last drill that passed; None where there never was one."""
        return max(0.0, now - self.drilled.at) if self.drilled is not None else None

    def alarms(self, limits: BackupLimits, now: float) -> dict[str, str]:
        """What is longer ago than it may be, in words for an operator; a log younger than a limit is given time."""
        if self.log_began is None:
            return {}
        young = now - self.log_began
        told = {}
        if limits.backup and _or(self.age(now), young) > limits.backup:
            told["backup"] = _words("backup was made", self.age(now), HOUR, "hours")
        if limits.drill and _or(self.drill_age(now), young) > limits.drill:
            told["backup drill"] = _words("drill passed", self.drill_age(now), DAY, "days")
        if self.failed is not None:
            told["backup drill"] = "the last drill FAILED: that backup cannot be relied upon"
        return told


def read_acts(connection: Connection) -> Acts:
    acts = {row.act: Act(row.backup, row.at, row.outcome) for row in connection.execute(select(tables.backup))}
    index = audit_tables.index
    first = select(index.c.time).where(index.c.idx == 0, index.c.line == 0)
    began = connection.execute(first).scalar_one_or_none()
    seconds = None if began is None else began / 1_000_000
    return Acts(acts.get(MADE), acts.get(DRILLED), acts.get(FAILED), acts.get(RESTORED), seconds)


def note(connection: Connection, what: str, act: Act) -> None:
    """Put down that it was done, in place of the last time."""
    forget(connection, what)
    row = {"act": what, "backup": act.backup, "at": act.at, "outcome": act.outcome}
    connection.execute(insert(tables.backup).values(row))


def unfinished(acts: Acts) -> Act | None:
    """A restore after which a person must still accept the fork; None where there is none."""
    restored = acts.restored
    return restored if restored is not None and restored.outcome in (LOST, UNSURE) else None


def check_restored(connection: Connection, anchored: Anchored | None) -> None:
    """Raises LogForked where the log was restored and no anchor tells whether it is the newest there was."""
    if anchored is None and unfinished(read_acts(connection)) is not None:
        raise LogForked(
            "the database was restored, and no anchor tells whether it is the newest there was: "
            "`broker audit accept-fork` goes on from it, in the open"
        )


def forget(connection: Connection, what: str) -> None:
    connection.execute(delete(tables.backup).where(tables.backup.c.act == what))


def _or(age: float | None, otherwise: float) -> float:
    return otherwise if age is None else age


def _words(what: str, age: float | None, unit: int, units: str) -> str:
    return f"no {what} yet" if age is None else f"the last {what} {age / unit:.0f} {units} ago"
