"""The closed list of events the log knows, their shapes, and how each is found again by searching.

Grammar: `noun.past-participle`. A retired name stays in RETIRED so that an old log can still be read.
Nothing here may hold a name, an id number, a claimed or released value; people are `subject_ref`, 128 random bits.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec

from audit.backup_events import OfBackup
from audit.event import Event
from audit.identity_events import OfSubject
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
from audit.sharing_events import OfSharing
from audit.staff_events import OfStaff


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
    bundle: str = ""
    """Of which bundle's request it is a part."""
    lead: str = ""
    """The requester at which that bundle began, and whose word this is."""
    actor_ref: str = ""
    """Who is to sign for the subject; empty where she signs herself."""
    witness_ref: str = ""
    evidence_sha256: str = ""
    """Of the paper by which somebody may act for her, hex."""


class ConsentShown(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.shown"
    request: str
    subject_ref: str
    actor_ref: str = ""
    """Who saw it in her stead."""
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
    actor_ref: str = ""
    """Who signed for her; empty where she signed herself."""
    acting_evidence_sha256: str = ""
    """Of the paper by which that person may, hex."""
    evidence_sha256: str = ""
    """Of the passkey's assertion over the signed text, where one was needed to sign what is sensitive."""


class ConsentDeclined(OfCase, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "consent.declined"
    request: str
    subject_ref: str
    actor_ref: str = ""
    """Who said no in her stead."""


class ConsentReopened(OfCase, frozen=True, kw_only=True):
    """Who had said no looks at it again, of her own accord."""

    NAME: ClassVar[str] = "consent.reopened"
    request: str
    subject_ref: str


class ConsentWitnessed(OfCase, frozen=True, kw_only=True):
    """The second person at an assisted authorization: the subject was there, and the paper is hers."""

    NAME: ClassVar[str] = "consent.witnessed"
    request: str
    subject_ref: str
    witness_ref: str


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
    actor_ref: str = ""
    """Who took it back in her stead; empty where it was she."""


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
    stopped: list[str] | msgspec.UnsetType = msgspec.UNSET
    """Each item that is stopped, and which side has stopped it."""

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one, outcome=self.code) for one in self.subject_refs or [""])


class OfCall(OfCase, frozen=True, kw_only=True):
    """The ending of an admitted call, or what was late in it; `admitted` is the index of its admission."""

    call: str
    exchange: str
    admitted: int


class ExchangeReleased(OfCall, frozen=True, kw_only=True):
    """With `collects`, a further release of a call: of what was pending in the release of that index."""

    NAME: ClassVar[str] = "exchange.released"
    operator: Operator
    results: list[ReleasedItem]
    collects: int | msgspec.UnsetType = msgspec.UNSET

    def index_lines(self) -> Iterator[IndexLine]:
        return (self._line(subject_ref=one.subject_ref, item=one.item, outcome=one.outcome) for one in self.results)


class ExchangeWithheld(OfCall, frozen=True, kw_only=True):
    """Nobody concerned still stood when the answers came; nothing left, the use stays spent.

    With `collects` it ends nothing: late answers were asked for and not given.
    """

    NAME: ClassVar[str] = "exchange.withheld"
    subject_refs: list[str]
    code: str
    stopped: list[str] | msgspec.UnsetType = msgspec.UNSET
    """Each item that is stopped, and which side has stopped it."""
    collects: int | msgspec.UnsetType = msgspec.UNSET

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
    amount_fen: int | msgspec.UnsetType = msgspec.UNSET
    """What was approved, only ever in whole thousands of yuan."""


class SubjectRegistered(OfSubject, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "subject.registered"


class SubjectErased(OfSubject, frozen=True, kw_only=True):
    """The person's key and the mapping from her id number are destroyed; nothing else in the log changes."""

    NAME: ClassVar[str] = "subject.erased"
    subject_ref: str


class SubjectExported(Event, frozen=True, kw_only=True):
    """The person took a copy of everything about her."""

    NAME: ClassVar[str] = "subject.exported"
    subject_ref: str
    form: str
    """`json` or `pdf`."""


class OfInquiry(Event, frozen=True, kw_only=True):
    """A person's question or correction about the entry `about`. What she wrote, and the answer, stand nowhere here."""

    number: str
    about: int
    requester: str
    subject_ref: str


class OfCorrection(OfInquiry, frozen=True, kw_only=True):
    department: str
    item: str

    def index_lines(self) -> Iterator[IndexLine]:
        yield self._line(subject_ref=self.subject_ref, item=self.item)


class QuestionOpened(OfInquiry, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "question.opened"


class QuestionAnswered(OfInquiry, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "question.answered"
    by: str | msgspec.UnsetType = msgspec.UNSET
    """The staff number of who answered; absent where it came by the command line."""


class CorrectionOpened(OfCorrection, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "correction.opened"


class CorrectionAnswered(OfCorrection, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "correction.answered"
    by: str | msgspec.UnsetType = msgspec.UNSET
    """The staff number of who answered; absent where it came by the command line."""


class RequesterRegistered(Event, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "requester.registered"
    requester: str
    name: str
    matters: list[str]
    department: str = ""
    """The department that it is; empty for a fund centre."""


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


class OfStop(Event, frozen=True, kw_only=True):
    """The one switch, as one side turned it."""

    item: str
    """The one item; empty for every release."""
    requester: str = ""
    """To whom alone; empty for everybody."""
    department: str = ""
    """Whose stop it is; empty for whoever operates the program."""
    by: str = ""
    """The steward's number."""

    def index_lines(self) -> Iterator[IndexLine]:
        yield IndexLine(requester=self.requester, operator=self.by, item=self.item)


class ReleasesStopped(OfStop, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "releases.stopped"
    reason: str


class ReleasesStarted(OfStop, frozen=True, kw_only=True):
    NAME: ClassVar[str] = "releases.started"


class ConfigurationLoaded(Event, frozen=True, kw_only=True):
    """The versions in force from here on, by SHA-256 of their files."""

    NAME: ClassVar[str] = "configuration.loaded"
    catalogue_version: str
    catalogue: str
    rules: str
    routes: str
    workdays: str = ""
    """Of the calendar; empty in entries from before there was one."""


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


ELSEWHERE: Final = (OfSubject, OfBackup, OfStaff, OfSharing)
"""With whose modules the list below is whole."""
EVENTS: Final[dict[str, type[Event]]] = {kind.NAME: kind for kind in _named(Event)}
RETIRED: Final[frozenset[str]] = frozenset()
