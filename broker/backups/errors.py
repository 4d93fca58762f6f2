"""What backups refuse, under one exception base.

BackupError
 ├─ BackupRefused   the wish: nothing was changed
 ├─ BackupMissing   there is no backup here
 └─ BackupDamaged   the archive is not, byte for byte, what the log's key signed
"""


class BackupError(Exception):
    """Anything this package refuses; its text is for an operator."""


class BackupRefused(BackupError):
    """What was asked for may not be done so; nothing was changed."""


class BackupMissing(BackupError):
    """There is no backup where one was looked for."""


class BackupDamaged(BackupError):
    """Altered, cut short, or signed by another key; `member` is the first bad part."""

    def __init__(self, member: str, why: str) -> None:
        super().__init__(f"{member}: {why}")
        self.member = member
