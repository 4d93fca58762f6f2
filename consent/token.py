"""The citizen's token: from bytes to VerifiedConsent, in numbered checks (protocol, `consent+jwt`).

 1 form       strict compact JWS of type consent+jwt, at most 8 KiB              consent/jws.py
 2 key        the device key known under `kid`                                   consent/jws.py
 3 signature  under that key's own algorithm                                     consent/jws.py
 4 shape      exactly the members of the protocol, exactly typed
 5 names      `iss` is the signing key, `aud` is this broker
 6 times      `iat`, `nbf` not ahead of the clock, `exp` not passed

The caller must still hold it against the stored offer (`grants.find_granted`, exact equality) and against what stands
at that moment (`standing`): a verified consent may have been withdrawn.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from consent import jws
from consent.claims import verify_times
from consent.keys import PublicKey
from policies.refusals import Code, Refused, TokenRole
from policies.vocabulary import ChannelMode, Grant, LegalBasis, Party, Scalar

TYPE: Final = "consent+jwt"


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One item agreed to (RFC 9396 authorization_details, one object per item)."""

    type: Literal["record"]
    item: str
    department: str
    fields: list[str]
    purpose: str
    legal_basis: LegalBasis
    keep_days: int
    params: dict[str, str] = {}
    expect: dict[str, str | int | bool | None] = {}


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: str
    lang: str
    sha256: str


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the consent came about; `act` and `evidence_sha256` where somebody acted for the person."""

    mode: ChannelMode
    act: str = ""
    evidence_sha256: str = ""


class StatusReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where in which public list the consent's status stands (draft-ietf-oauth-status-list, section 6.1)."""

    idx: int
    uri: str


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For third parties. This broker goes by what stands (`standing`), never by a list."""

    status_list: StatusReference


class ConsentClaims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The payload as composed by the broker and signed by the device."""

    ver: Literal[1]
    iss: str
    sub: str
    aud: str
    client_id: str
    jti: str
    req: str
    iat: int
    nbf: int
    exp: int
    uses: int
    party: Party
    matter: str
    matter_version: str
    case: str
    authorization_details: list[Detail]
    notice: Notice
    channel: Channel
    status: Status | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class VerifiedConsent:
    """What a person's device key signed. Says nothing of whether it still stands."""

    claims: ConsentClaims = field(repr=False)
    grants: tuple[Grant, ...] = field(repr=False)
    text: str = field(repr=False)

    @property
    def id(self) -> tuple[str, str]:
        """The one name of a consent: (`iss`, `jti`), never a hash of its text."""
        return self.claims.iss, self.claims.jti

    @property
    def sha256(self) -> str:
        """Of the token's ASCII: evidence for the log, never how a consent is known."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def grant(self, item: str) -> Grant | None:
        return next((grant for grant in self.grants if grant.item == item), None)


def verify_consent(
    text: str, *, key_of: Callable[[str], PublicKey | None], audience: str, now: float
) -> VerifiedConsent:
    """Checks 1 to 6. Raises Refused(token=consent)."""
    token, unverified = jws.read_token(text, jws.CONSENT, TYPE)  # 1
    key = key_of(token.header["kid"])  # 2
    jws.verify_signature(token, key)  # 3
    claims = read_claims(unverified)  # 4
    if claims.iss != token.header["kid"]:  # 5
        raise Refused(Code.CONSENT_MISMATCH, TokenRole.CONSENT)
    if claims.aud != audience:
        raise Refused(Code.WRONG_AUDIENCE, TokenRole.CONSENT)
    _, expires = verify_times(unverified, profile=jws.CONSENT, now=now)  # 6
    if expires <= now:
        raise Refused(Code.CONSENT_EXPIRED, TokenRole.CONSENT)
    return VerifiedConsent(claims, tuple(map(_grant, claims.authorization_details)), text)


def read_claims(payload: dict[str, Any]) -> ConsentClaims:
    """Check 4. Raises Refused(malformed_token)."""
    try:
        return msgspec.convert(payload, ConsentClaims)
    except msgspec.ValidationError as error:
        raise Refused(Code.MALFORMED_TOKEN, TokenRole.CONSENT) from error


def _grant(detail: Detail) -> Grant:
    expect: dict[str, Scalar] = dict(detail.expect)
    return Grant(
        item=detail.item,
        department=detail.department,
        fields=tuple(detail.fields),
        purpose=detail.purpose,
        legal_basis=detail.legal_basis,
        keep_days=detail.keep_days,
        params=dict(detail.params),
        expect=expect,
    )
