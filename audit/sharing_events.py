"""The events of sharing between departments and requesters: outages told beforehand, applications, agreements.

Part of the closed list of audit/events.py. Nobody's data is concerned; a staff number stands here and never a name.
"""

from collections.abc import Iterator
from typing import ClassVar

from audit.event import Event
from audit.parts import IndexLine


class OfSharing(Event, frozen=True, kw_only=True):
    """What a department, or whoever applies to it, did; found under the steward's number and the item."""

    number: str
    department: str
    by: str = ""
    """The steward's number; empty where it came by the command line."""

    def index_lines(self) -> Iterator[IndexLine]:
        requester, item = getattr(self, "requester", ""), getattr(self, "item", "")
        yield IndexLine(requester=requester, operator=self.by, item=item)


class OutageAnnounced(OfSharing, frozen=True, kw_only=True):
    """The department will not answer then. Times are in China, as `2026-12-01 22:00`."""

    NAME: ClassVar[str] = "outage.announced"
    item: str
    begins: str
    ends: str


class OutageCancelled(OfSharing, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "outage.cancelled"
    item: str


class AgreementMade(OfSharing, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "agreement.made"
    requester: str
    items: list[str]
    begins: str
    """Days as 2026-12-11, both included."""
    ends: str
    reference: str


class AgreementEnded(OfSharing, frozen=True, kw_only=True):
    """Before its last day."""

    NAME: ClassVar[str] = "agreement.ended"
    requester: str


class OfApplication(OfSharing, frozen=True, kw_only=True):
    """What became of an application for an item or for fields of one."""

    requester: str
    item: str
    due_on: str = ""
    """By which day the next step is due; empty where none is."""


class ApplicationFiled(OfApplication, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "application.filed"
    fields: list[str]
    missing: list[str]
    """By name, what of an application is not there yet."""


class ApplicationReturned(OfApplication, frozen=True, kw_only=True):
    """The applicant was told, once, all that is missing; the clock stands."""

    NAME: ClassVar[str] = "application.returned"


class ApplicationCompleted(OfApplication, frozen=True, kw_only=True):
    """The clock begins anew."""

    NAME: ClassVar[str] = "application.completed"
    fields: list[str]
    missing: list[str]


class ApplicationProlonged(OfApplication, frozen=True, kw_only=True):
    """Once, with the consent of the authority for government data."""

    NAME: ClassVar[str] = "application.prolonged"
    consent: str


class ApplicationGranted(OfApplication, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "application.granted"


class ApplicationRefused(OfApplication, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "application.refused"
    reason: str


class ApplicationSupplied(OfApplication, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "application.supplied"
