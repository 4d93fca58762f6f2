"""The closed list of events the log knows, their shapes, and how each is found again by searching.

Grammar: `noun.past-participle`. A retired name stays in RETIRED so that an old log can still be read.
Nothing here may hold a name, an id number, a claimed or released value; people are `subject_ref`, 128 random bits.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec

from audit.parts import (
    AskedItem,
    Consent,
    DecidedItem,
    GrantedItem,
    IndexLine,
    Notice,
    Operator,
    ReleasedItem,
    SpentUse,
)


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


class OfCase(Event, frozen=True, kw_only=True):
    """What concerns one requester's case."""

    requester: str
    matter: str
    case: str


class ConsentAsked(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.asked"
    request: str
    kid: str
    request_jti: str
    matter_version: str
    party: str
    mode: str
    items: list[AskedItem]
    uses: int
    valid_for: int
    operator: Operator
    subject_ref: str


class ConsentShown(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.shown"
    request: str
    subject_ref: str
    notice: Notice


class ConsentGranted(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.granted"
    request: str
    subject_ref: str
    consent: Consent
    matter_version: str
    party: str
    channel: str
    uses: int
    expires: int
    items: list[GrantedItem]
    notice: Notice
    token_sha256: str
    assurance: int


class ConsentDeclined(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.declined"
    request: str
    subject_ref: str


class ConsentCancelled(OfCase, frozen=True, kw_only=True):
    """The requester took its own request back before it was answered."""

    NAME: ClassVar[str] = "consent.cancelled"
    request: str


class OfConsent(OfCase, frozen=True, kw_only=True):
    """What becomes of a granted consent."""

    consent: Consent
    subject_ref: str


class ConsentWithdrawn(OfConsent, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.withdrawn"
    by: str
    """`device_key`, `sign_in` or `erasure`."""
    withdrawal_jti: str


class ConsentPaused(OfConsent, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.paused"


class ConsentResumed(OfConsent, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.resumed"


class ExchangeAdmitted(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "exchange.admitted"
    call: str
    exchange: str
    attempt: int
    kid: str
    request_jti: str
    request_sha256: str
    matter_version: str
    operator: Operator
    consents: list[SpentUse]
    items: list[DecidedItem]
    rules: str
    catalogue: str
    process: str

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one.subject_ref, item=one.item) for one in self.items)


class ExchangeRefused(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "exchange.refused"
    exchange: str
    kid: str
    request_jti: str
    request_sha256: str
    operator: Operator
    consents: list[Consent]
    """Only those that were verified; an unverified token's claims are nobody's word."""
    subject_refs: list[str]
    code: str
    reasons: list[str]

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome=self.code) for one in self.subject_refs or [""])


class OfCall(OfCase, frozen=True, kw_only=True):
    """The one ending of an admitted call; `admitted` is the index of its admission."""

    call: str
    exchange: str
    admitted: int


class ExchangeReleased(OfCall, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "exchange.released"
    operator: Operator
    results: list[ReleasedItem]

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one.subject_ref, item=one.item, outcome=one.outcome) for one in self.results)


class ExchangeWithheld(OfCall, frozen=True, kw_only=True):
    """Nobody concerned still stood when the answers came; nothing left, the use stays spent."""

    NAME: ClassVar[str] = "exchange.withheld"
    subject_refs: list[str]
    code: str

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome=self.code) for one in self.subject_refs)


class ExchangeInterrupted(OfCall, frozen=True, kw_only=True):
    """Its process died between admission and release: whether a department was asked is not known, nothing left."""

    NAME: ClassVar[str] = "exchange.interrupted"
    subject_refs: list[str]
    process: str

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome="interrupted") for one in self.subject_refs)


class OfReleased(OfCase, frozen=True, kw_only=True):
    """What its requester says became of a released call; `released` is the index of the release."""

    call: str
    exchange: str
    released: int
    operator: Operator
    subject_refs: list[str]

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome=getattr(self, "decision", "")) for one in self.subject_refs)


class ExchangeViewed(OfReleased, frozen=True, kw_only=True):
    """Somebody at the requester looked at what had been released."""

    NAME: ClassVar[str] = "exchange.viewed"


class ExchangeDecided(OfReleased, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "exchange.decided"
    decision: str
    """`approved`, `refused` or `returned`."""


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


class HookAdded(Event, frozen=True, kw_only=True):
    """From here on the requester is told of its events there. The path stays out: it may be a secret."""

    NAME: ClassVar[str] = "hook.added"
    requester: str
    hook: str
    origin: str


class HookRemoved(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "hook.removed"
    requester: str
    hook: str


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


def _named(parent: type[Event]) -> Iterator[type[Event]]:
    for kind in parent.__subclasses__():
        if "NAME" in vars(kind):
            yield kind
        yield from _named(kind)


EVENTS: Final[dict[str, type[Event]]] = {kind.NAME: kind for kind in _named(Event)}
RETIRED: Final[frozenset[str]] = frozenset()
