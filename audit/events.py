"""The closed list of events the log knows, their shapes, and how each is found again by searching.

Grammar: `noun.past-participle`. A retired name stays in RETIRED so that an old log can still be read.
Nothing here may hold a name, an id number, a claimed or released value; people are `subject_ref`, 128 random bits.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec


class Consent(msgspec.Struct, frozen=True):
    """A consent token as the log knows it: the signing device's thumbprint and the token's id."""

    iss: str
    jti: str


class Operator(msgspec.Struct, frozen=True):
    """Who at the requester asked: staff number and desk. The name stays with the requester."""

    id: str
    desk: str


class Notice(msgspec.Struct, frozen=True):
    """The exact words shown, by version and SHA-256 of their UTF-8 bytes."""

    id: str
    version: str
    lang: str
    sha256: str


class AskedItem(msgspec.Struct, frozen=True):
    item: str
    fields: list[str]
    required: bool


class GrantedItem(msgspec.Struct, frozen=True):
    item: str
    department: str
    fields: list[str]
    purpose: str
    legal_basis: str
    keep_days: int


class SpentUse(msgspec.Struct, frozen=True):
    """One consent's part in an admitted exchange."""

    party: str
    iss: str
    jti: str
    subject_ref: str
    use: int
    left: int


class DecidedItem(msgspec.Struct, frozen=True):
    """One item of one person, as asked, with the policies that determined the decision."""

    party: str
    subject_ref: str
    item: str
    department: str
    fields: list[str]
    purpose: str
    legal_basis: str
    policies: list[str]


class ReleasedItem(msgspec.Struct, frozen=True):
    """What left for one item: its salted digest (hex SHA-256), never a value."""

    party: str
    subject_ref: str
    item: str
    outcome: str
    digest: str
    department: str
    route: str
    department_request: str
    raw_code: str
    kept: int
    dropped: int


class IndexLine(msgspec.Struct, frozen=True):
    """One row of the search projection."""

    requester: str = ""
    subject_ref: str = ""
    operator: str = ""
    matter: str = ""
    case: str = ""
    item: str = ""
    outcome: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened; its members are the entry's `body`."""

    NAME: ClassVar[str]

    def index_lines(self) -> Iterator[IndexLine]:
        """The rows by which this entry is found; by default one, of the members that are there."""
        yield self._line(subject_ref=getattr(self, "subject_ref", ""))

    def _line(self, *, subject_ref: str, item: str = "", outcome: str = "") -> IndexLine:
        operator = getattr(self, "operator", None)
        return IndexLine(
            requester=getattr(self, "requester", ""),
            subject_ref=subject_ref,
            operator=operator.id if operator is not None else "",
            matter=getattr(self, "matter", ""),
            case=getattr(self, "case", ""),
            item=item,
            outcome=outcome,
        )


class ConsentAsked(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.asked"
    request: str
    requester: str
    kid: str
    request_jti: str
    matter: str
    matter_version: str
    case: str
    party: str
    mode: str
    items: list[AskedItem]
    uses: int
    valid_for: int
    operator: Operator
    subject_ref: str


class ConsentShown(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.shown"
    request: str
    requester: str
    subject_ref: str
    matter: str
    case: str
    notice: Notice


class ConsentGranted(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.granted"
    request: str
    requester: str
    subject_ref: str
    consent: Consent
    matter: str
    matter_version: str
    case: str
    party: str
    channel: str
    uses: int
    expires: int
    items: list[GrantedItem]
    notice: Notice
    token_sha256: str
    assurance: int


class ConsentDeclined(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.declined"
    request: str
    requester: str
    subject_ref: str
    matter: str
    case: str


class ConsentCancelled(Event, frozen=True, kw_only=True):
    """The requester took its own request back before it was answered."""

    NAME: ClassVar[str] = "consent.cancelled"
    request: str
    requester: str
    matter: str
    case: str


class ConsentWithdrawn(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.withdrawn"
    consent: Consent
    requester: str
    subject_ref: str
    matter: str
    case: str
    by: str
    """`device_key` or `sign_in`."""
    withdrawal_jti: str


class ConsentPaused(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.paused"
    consent: Consent
    requester: str
    subject_ref: str
    matter: str
    case: str


class ConsentResumed(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.resumed"
    consent: Consent
    requester: str
    subject_ref: str
    matter: str
    case: str


class ExchangeAdmitted(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "exchange.admitted"
    call: str
    exchange: str
    attempt: int
    requester: str
    kid: str
    request_jti: str
    request_sha256: str
    matter: str
    matter_version: str
    case: str
    operator: Operator
    consents: list[SpentUse]
    items: list[DecidedItem]
    rules: str
    catalogue: str
    process: str

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one.subject_ref, item=one.item) for one in self.items)


class ExchangeRefused(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "exchange.refused"
    exchange: str
    requester: str
    kid: str
    request_jti: str
    request_sha256: str
    matter: str
    case: str
    operator: Operator
    consents: list[Consent]
    """Only those that were verified; an unverified token's claims are nobody's word."""
    subject_refs: list[str]
    code: str
    reasons: list[str]

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome=self.code) for one in self.subject_refs or [""])


class ExchangeReleased(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "exchange.released"
    call: str
    exchange: str
    admitted: int
    requester: str
    matter: str
    case: str
    operator: Operator
    results: list[ReleasedItem]

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one.subject_ref, item=one.item, outcome=one.outcome) for one in self.results)


class ExchangeWithheld(Event, frozen=True, kw_only=True):
    """Nobody concerned still stood when the answers came; nothing left, the use stays spent."""

    NAME: ClassVar[str] = "exchange.withheld"
    call: str
    exchange: str
    admitted: int
    requester: str
    matter: str
    case: str
    subject_refs: list[str]
    code: str

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome=self.code) for one in self.subject_refs)


class ExchangeInterrupted(Event, frozen=True, kw_only=True):
    """Its process died between admission and release: whether a department was asked is not known, nothing left."""

    NAME: ClassVar[str] = "exchange.interrupted"
    call: str
    exchange: str
    admitted: int
    requester: str
    matter: str
    case: str
    subject_refs: list[str]
    process: str

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome="interrupted") for one in self.subject_refs)


class SubjectRegistered(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "subject.registered"
    subject_ref: str


class SubjectErased(Event, frozen=True, kw_only=True):
    """The person's key and the mapping from her id number are destroyed; nothing else in the log changes."""

    NAME: ClassVar[str] = "subject.erased"
    subject_ref: str


class DeviceEnrolled(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "device.enrolled"
    subject_ref: str
    kid: str
    alg: str


class DeviceRemoved(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "device.removed"
    subject_ref: str
    kid: str


class RequesterRegistered(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "requester.registered"
    requester: str
    name: str
    matters: list[str]


class KeyAdded(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "key.added"
    requester: str
    kid: str
    alg: str


class RequesterSuspended(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "requester.suspended"
    requester: str


class RequesterResumed(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "requester.resumed"
    requester: str


class ReleasesStopped(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "releases.stopped"
    item: str
    """The one item stopped; empty for every release."""
    reason: str


class ReleasesStarted(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "releases.started"
    item: str


class ConfigurationLoaded(Event, frozen=True, kw_only=True):
    """The versions in force from here on, by SHA-256 of their files."""

    NAME: ClassVar[str] = "configuration.loaded"
    catalogue_version: str
    catalogue: str
    rules: str
    routes: str


class LogForkAccepted(Event, frozen=True, kw_only=True):
    """A person accepted that the log goes on from a restored backup, under a new origin. Roots are hex."""

    NAME: ClassVar[str] = "log.forked"
    old_origin: str
    size: int
    root: str
    anchored_size: int
    anchored_root: str
    reason: str


class LogExported(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "log.exported"
    size: int


class LogRead(Event, frozen=True, kw_only=True):
    """Somebody searched the log. What was looked for stands by its kind; a person only as `subject_ref: ""`."""

    NAME: ClassVar[str] = "log.read"
    filters: dict[str, str]


EVENTS: Final[dict[str, type[Event]]] = {kind.NAME: kind for kind in Event.__subclasses__()}
RETIRED: Final[frozenset[str]] = frozenset()
