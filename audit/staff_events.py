"""The events of staff: who has which role, signs in, looks and exports. Part of the closed list of audit/events.py.

A staff number stands here and never a name.
"""

from collections.abc import Iterator
from typing import ClassVar

from audit.event import Event
from audit.parts import IndexLine


class OfStaff(Event, frozen=True, kw_only=True):
    """What somebody of the staff did, or had done; found under the number as an operator's deed is."""

    number: str
    role: str

    def index_lines(self) -> Iterator[IndexLine]:
        yield IndexLine(operator=self.number, subject_ref=getattr(self, "subject_ref", ""))


class StaffProposed(OfStaff, frozen=True, kw_only=True):
    """One person wants this, and another has to confirm it."""

    NAME: ClassVar[str] = "staff.proposed"
    change: str
    """`add` or `remove`."""
    department: str
    by: str


class StaffAdded(OfStaff, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "staff.added"
    department: str
    who: str
    """Hex SHA-256 of the keyed hash by which the person is found at sign-in."""
    by: str
    """`founding` from the command line, else a staff number."""
    confirmed_by: str = ""


class StaffRemoved(OfStaff, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "staff.removed"
    by: str
    confirmed_by: str = ""


class StaffKept(OfStaff, frozen=True, kw_only=True):
    """What was proposed about this person was turned down."""

    NAME: ClassVar[str] = "staff.kept"
    change: str
    by: str


class StaffSignedIn(OfStaff, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "staff.signed_in"
    method: str
    assurance: int


class StaffSignedOut(OfStaff, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "staff.signed_out"


class StaffRefused(OfStaff, frozen=True, kw_only=True):
    """Somebody of the staff asked for what is not theirs or not there: another role's page, a changed cursor."""

    NAME: ClassVar[str] = "staff.refused"
    address: str
    """The route, with its parameters' names and never their values."""
    code: str


class StaffLooked(OfStaff, frozen=True, kw_only=True):
    """Somebody of the staff looked into the log, or took something out of it."""

    NAME: ClassVar[str] = "staff.looked"
    what: str
    """`search`, `entry`, `replay`, `export`, ...: one word of the page that showed it."""
    subject_ref: str = ""
    filters: dict[str, str]
    """By name, what was searched for; a person stands as `subject_ref` only."""
    entries: int = 0
    """How many entries were shown or taken."""
    reason: str = ""
    """Why, as the person wrote it; it must not name anybody, and holds no id number."""


class OfConfiguration(OfStaff, frozen=True, kw_only=True):
    """A configuration by what its files hold (hex SHA-256)."""

    catalogue: str
    rules: str
    routes: str
    workdays: str


class ConfigurationProposed(OfConfiguration, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "configuration.proposed"


class ConfigurationApproved(OfConfiguration, frozen=True, kw_only=True):
    """By a second person; from here on a broker may start with it."""

    NAME: ClassVar[str] = "configuration.approved"
    proposed_by: str


class ConfigurationTurnedDown(OfConfiguration, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "configuration.turned_down"
    proposed_by: str


class LogVerified(OfStaff, frozen=True, kw_only=True):
    """Somebody had every entry of the log hashed anew and held against its checkpoint, and this came of it."""

    NAME: ClassVar[str] = "log.verified"
    size: int
    root: str
    """Of the checkpoint, hex."""
    problems: list[str]
    """The rules of audit/verify.py that are broken; none where the log verifies."""
    first_bad: int = -1
    """The first entry that breaks one."""
    unindexed: int = 0
    """Of how many entries the rows that searching goes by are not what the entry says."""
    seconds: int
