"""The setting `backup:`: after how long without a backup, and without a drill, an operator is told."""

from dataclasses import dataclass
from typing import Final

import msgspec

from policies.strict_yaml import Located

HOUR: Final = 3600
DAY: Final = 24 * HOUR
LONGEST: Final = 365


class BackupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """0 tells nobody."""

    warn_after_hours: int = 26
    """One a day, and two hours for it to be made."""
    drill_after_days: int = 31


@dataclass(frozen=True, slots=True)
class BackupLimits:
    """Seconds; 0 for never."""

    backup: int
    drill: int

    def warnings(self) -> list[str]:
        """What an operator should know of what nobody will be told."""
        silent = [name for name, limit in (("backup", self.backup), ("drill", self.drill)) if not limit]
        return [f"backup: nobody is told when the last {name} is long ago" for name in silent]


def read_limits(given: BackupFile, located: Located) -> BackupLimits:
    """Raises ConfigurationError."""
    for name, longest in (("warn_after_hours", LONGEST * 24), ("drill_after_days", LONGEST)):
        if not 0 <= getattr(given, name) <= longest:
            raise located.error(f"{name} is from 0 to {longest}", "backup", name)
    return BackupLimits(given.warn_after_hours * HOUR, given.drill_after_days * DAY)
