"""The events of backups: copies taken, put back and rehearsed. Part of the closed list of audit/events.py."""

from typing import ClassVar

from audit.event import Event


class OfBackup(Event, frozen=True, kw_only=True):
    """What became of a copy of the whole database; `backup` is its id, by which its file knows itself."""

    backup: str


class BackupBegun(OfBackup, frozen=True, kw_only=True):
    """A copy is being taken. It holds this entry itself: so the copy of a stopped broker is the newest log there is."""

    NAME: ClassVar[str] = "backup.begun"
    store: str
    """`sqlite` or `postgresql`."""
    recipient: str
    """Hex SHA-256 of the public key that the broker's secrets are sealed to; empty where they are left out."""


class BackupRestored(OfBackup, frozen=True, kw_only=True):
    """The log goes on from a copy. Size and root are those of the log in it; the root is hex."""

    NAME: ClassVar[str] = "backup.restored"
    size: int
    root: str
    newest: str
    """Why nothing is missing: `anchored`, or `stated` by whoever restored it; `no` after an accepted fork."""


class BackupDrilled(OfBackup, frozen=True, kw_only=True):
    """A copy was put back into a scratch place, to see that it can be, and its log verified."""

    NAME: ClassVar[str] = "backup.drilled"
    size: int
    """Entries of the log in the copy; 0 where it could not be read so far."""
    outcome: str
    """`passed` or `failed`."""
