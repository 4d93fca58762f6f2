"""The words every room shares: parties, channels, legal bases, outcomes, fields, items, needs and grants.

Names follow the wire (protocol, version 1); a value here is what stands in tokens, answers and log entries.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int | bool | None
"""What a released field may hold. Money is integer fen, a date YYYY-MM-DD, a time RFC 3339 UTC."""


class Party(StrEnum):
    """Whose data an item is, seen from the case."""

    APPLICANT = "applicant"
    SPOUSE = "spouse"
    CO_BORROWER = "co_borrower"
    PARENT = "parent"
    CHILD = "child"
    HANDLER = "handler"


class ChannelMode(StrEnum):
    """How the person's consent came about; policies and the log tell the modes apart."""

    ONLINE = "online"
    COUNTER = "counter"
    GUARDIAN = "guardian"
    ENTRUSTED = "entrusted"
    ASSISTED = "assisted"


class LegalBasis(StrEnum):
    """A label the notice shows. It never opens a path of its own: there is no release without a token."""

    CONSENT = "consent"
    SEPARATE_CONSENT = "separate_consent"
    WRITTEN_CONSENT = "written_consent"
    STATUTORY_DUTY = "statutory_duty"
    OTHER_LAW = "other_law"


class SubjectKind(StrEnum):
    """What sort of subject an item is about; the register that issues its number tells them apart."""

    PERSON = "person"
    ORGANISATION = "organisation"


class ItemKind(StrEnum):
    QUERY = "query"
    """The department's records leave, cut to the granted fields."""
    VERIFY = "verify"
    """Only match, mismatch or not_decidable leaves, never a value."""


class MatterFamily(StrEnum):
    """What sort of business a matter is; some items are for one sort only."""

    INFORMATION = "information"
    WITHDRAWAL = "withdrawal"
    LOAN = "loan"
    CONTRIBUTION = "contribution"
    UNIT = "unit"
    TRANSFER = "transfer"
    BUNDLED = "bundled"
    """Another department's business, which is here only as a part of a bundle."""


class HandlingMode(StrEnum):
    """How a matter is handled across regions (State Council opinion on cross-region services)."""

    ONLINE = "online"
    """The place with authority handles it remotely."""
    COLLECT = "collect"
    """A window far away checks identity and form and forwards; the responsible place decides."""
    JOINT = "joint"
    """One place accepts, both handle."""
    COUNTER = "counter"
    """At a window of the responsible place."""


class MaterialState(StrEnum):
    """What became of a paper that a matter used to ask for."""

    KEPT = "kept"
    REPLACED = "replaced"
    """An item answers instead of it."""
    PROMISED = "promised"
    """The applicant's written promise stands for it (告知承诺)."""
    ABOLISHED = "abolished"


class FieldKind(StrEnum):
    TEXT = "text"
    CODE = "code"
    INTEGER = "integer"
    MONEY = "money"
    """Integer fen."""
    DECIMAL = "decimal"
    """A decimal number as text, so that no digit is lost."""
    DATE = "date"
    DATETIME = "datetime"
    FLAG = "flag"


class Outcome(StrEnum):
    """What became of one item. "No such record", "could not be asked" and "may not be asked" are never confused."""

    MATCH = "match"
    MISMATCH = "mismatch"
    FOUND = "found"
    NO_RECORD = "no_record"
    NOT_DECIDABLE = "not_decidable"
    NEED_MANUAL = "need_manual"
    DENIED_BY_DEPARTMENT = "denied_by_department"
    BAD_REQUEST = "bad_request"
    AUTH_FAILED = "auth_failed"
    QUOTA = "quota"
    CLOSED_HOURS = "closed_hours"
    DEPARTMENT_DOWN = "department_down"
    TIMEOUT = "timeout"
    GARBLED = "garbled"
    PENDING = "pending"
    WITHHELD = "withheld"


TRANSIENT_OUTCOMES: Final = frozenset(
    {
        Outcome.DEPARTMENT_DOWN,
        Outcome.TIMEOUT,
        Outcome.GARBLED,
        Outcome.QUOTA,
        Outcome.CLOSED_HOURS,
        Outcome.AUTH_FAILED,
    }
)
"""Trouble on the way: such an item may be asked again as long as the consent stands."""

VERIFY_ANSWERS: Final = frozenset({Outcome.MATCH, Outcome.MISMATCH, Outcome.NOT_DECIDABLE})
"""The only answers of substance that an item of kind `verify` may give."""


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person as departments know them. Never logged, never in a URL."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)

    @property
    def number(self) -> str:
        """By which departments tell this subject from every other."""
        return self.id_number

    @property
    def kind(self) -> SubjectKind:
        return SubjectKind.PERSON


@dataclass(frozen=True, slots=True)
class Organisation:
    """An enterprise, institution or association (单位). Kept as closely as a person: it tells of its owner."""

    name: str = field(repr=False)
    uscc: str = field(repr=False)
    """Its unified social credit code (GB 32100)."""

    @property
    def number(self) -> str:
        return self.uscc

    @property
    def kind(self) -> SubjectKind:
        return SubjectKind.ORGANISATION


Subject: TypeAlias = Person | Organisation
"""Whom an item can be about. An organisation never signs: its handler does, who is a person."""


@dataclass(frozen=True, slots=True)
class Department:
    id: str
    name_zh: str
    name_en: str
    level: str
    """city, province, national or cross-region; free text for the reader."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an item: how it is typed on release and how it is told to the person."""

    id: str
    name_zh: str
    name_en: str
    kind: FieldKind
    sensitive: bool
    example: str
    max_length: int = 200
    codes: Mapping[str, str] = field(default_factory=dict)
    """For kind `code`: each permitted value and its meaning in Chinese."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query key other than the subject's own name and number; shown and signed, never changed by an exchange."""

    id: str
    name_zh: str
    name_en: str
    kind: FieldKind
    pattern: str = ""
    """A full-match regular expression for kind `code` and `text`; empty means the kind's own form only."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a department can be asked about one subject."""

    id: str
    name_zh: str
    name_en: str
    department: str
    kind: ItemKind
    fields: Mapping[str, Field]
    parameters: Mapping[str, Parameter]
    joint: tuple[Party, ...] = ()
    """The two parties who must both have granted it before it is asked; empty for one person's own item."""
    parties: tuple[Party, ...] = ()
    """The only parties whose consent can open it; empty means each party of the case, for her own."""
    about: SubjectKind = SubjectKind.PERSON
    question: str = ""
    """What it answers, where an item of kind `verify` and one of kind `query` can answer the same."""
    sharing: str = "conditional"
    """unconditional or conditional, as the department's own catalogue classes it."""
    updated: str = ""
    """How often the department brings it up to date: realtime, daily, weekly, monthly."""


@dataclass(frozen=True, slots=True)
class Need:
    """One row that both the notice and the gate read: which fields of which item a matter needs, and why."""

    item: str
    fields: tuple[str, ...]
    required: bool
    purpose_zh: str
    purpose_en: str
    legal_basis: LegalBasis
    keep_days: int
    default: bool = True
    """Whether it is asked where a requester files without saying what; others only by name."""
    when_zh: str = ""
    when_en: str = ""
    """In which cases the matter needs it; empty means in each."""


@dataclass(frozen=True, slots=True)
class Material:
    """A paper (要件) that a matter used to ask for, and what became of it."""

    name_zh: str
    name_en: str
    state: MaterialState
    item: str = ""
    """What answers instead of it, where it is replaced."""


@dataclass(frozen=True, slots=True)
class Matter:
    """A piece of business (事项) a fund centre handles, with its needs; a new version never widens an old consent."""

    id: str
    version: str
    name_zh: str
    name_en: str
    uses: int
    """How many exchanges one consent permits unless the request asks for fewer."""
    valid_days: int
    """How long a consent lives unless the request asks for less."""
    otherwise_zh: str
    otherwise_en: str
    """What the person can do instead of agreeing (PIPL article 16)."""
    needs: Mapping[str, Need]
    batch: str
    """Which list brought it: cross_province_2020, _2021, _2022, national, or local."""
    family: MatterFamily
    applicants_zh: str
    applicants_en: str
    modes: tuple[HandlingMode, ...]
    statutory_days: int | None
    """Days within which the law has it decided; None where no law says so."""
    promised_days: int
    """Days within which the centre promises it; 0 is at once."""
    materials: tuple[Material, ...]
    recipient: str = ""
    """The department that handles it and receives the answers; empty for the fund centre that asks."""


@dataclass(frozen=True, slots=True)
class BundlePart:
    """One matter of a bundle, asked of one party: its recipient gets its own slice and no other's."""

    matter: str
    party: Party


@dataclass(frozen=True, slots=True)
class Bundle:
    """One thing (一件事) in a person's or an organisation's life that several recipients handle together."""

    id: str
    version: str
    name_zh: str
    name_en: str
    applicants_zh: str
    applicants_en: str
    about: SubjectKind
    parts: tuple[BundlePart, ...]

    def kind_of(self, part: BundlePart) -> SubjectKind:
        """Whose data a part is: an organisation's handler is a person."""
        return SubjectKind.PERSON if part.party is Party.HANDLER else self.about


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person agreed to for one item: one member of the token's `authorization_details`."""

    item: str
    department: str
    fields: tuple[str, ...]
    purpose: str
    legal_basis: LegalBasis
    keep_days: int
    params: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, Scalar] = field(default_factory=dict)
    """Claimed values, for an item of kind `verify` only."""
