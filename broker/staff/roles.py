"""What somebody of the staff may be, and who may make somebody that (GB/T 22239: three administrators, kept apart).

One person has one role. A system administrator changes nobody's; an auditor is made and unmade by auditors alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    AUDITOR = "auditor"
    """Reads the log, answers questions, exports evidence; changes nothing."""
    SECURITY = "security"
    """Says who has which role; sees neither the log nor anybody's data."""
    SYSTEM = "system"
    """Keeps the program running; sees no personal value and changes nobody's role."""
    STEWARD = "steward"
    """Answers for one department's data: who used it, corrections, the stop."""


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """Who proposes that somebody gets or loses a role, and whose confirmation it takes; None where one is enough."""

    proposer: Role
    confirmer: Role | None


CHANGED_BY: Final[Mapping[Role, ChangedBy]] = {
    Role.SYSTEM: ChangedBy(Role.SECURITY, None),
    Role.STEWARD: ChangedBy(Role.SECURITY, None),
    Role.SECURITY: ChangedBy(Role.SECURITY, Role.AUDITOR),
    Role.AUDITOR: ChangedBy(Role.AUDITOR, Role.AUDITOR),
}
FOUNDED: Final[Mapping[Role, int]] = {Role.SECURITY: 1, Role.AUDITOR: 2}
"""How many the command line may make of each, once: whoever has a shell here must not make auditors later."""
