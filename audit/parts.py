"""The parts that log entries are made of; none holds a name, an id number, a claimed or released value."""

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
    answered_by: str | msgspec.UnsetType = msgspec.UNSET
    """The staff number of the person at the department who answered by hand."""
    answers_at: str | msgspec.UnsetType = msgspec.UNSET
    """Without an answer, when one can be expected (RFC 3339), where that was known."""
    withheld_because: str | msgspec.UnsetType = msgspec.UNSET
    """A refusal's code or, of a stop, which side it is."""


class IndexLine(msgspec.Struct, frozen=True):
    """One row of the search projection."""

    requester: str = ""
    subject_ref: str = ""
    operator: str = ""
    matter: str = ""
    case: str = ""
    item: str = ""
    outcome: str = ""
    desk: str = ""
