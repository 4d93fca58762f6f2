"""What a person is offered, and what she is given to sign: items in the catalogue's terms, then the payload.

The device signs exactly the composed bytes; the stored composition is what the signed payload must equal.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from audit import parts
from consent.asking import AuthorizationRequest
from consent.jws import HEADER
from consent.keys import PublicKey, to_base64url
from consent.notice import OfferedItem, Terms
from consent.token import TYPE, Channel, ConsentClaims, Detail, Notice, Status
from policies.catalogue import Catalogue
from policies.refusals import Code, Refused
from policies.vocabulary import ChannelMode, Party

DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Choice:
    """One item the person agrees to; without `fields`, all that are offered of it."""

    item: str
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who will sign and for whom, as this requester may know them."""

    key: PublicKey
    sub: str = field(repr=False)
    act: str = field(default="", repr=False)
    """Who acts for the subject; empty where she signs herself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """By which broker, when (seconds since 1970), and where the status will stand."""

    issuer: str
    now: int
    status: Status


def offered_items(asked: AuthorizationRequest, catalogue: Catalogue) -> tuple[OfferedItem, ...]:
    """The request's lines in the catalogue's terms. Refused(request_expired) where the matter has changed since."""
    matter = catalogue.matters.get(asked.matter)
    if matter is None or matter.version != asked.matter_version:
        raise Refused(Code.REQUEST_EXPIRED)
    return tuple(
        OfferedItem(
            item=catalogue.items[one.item],
            department=catalogue.departments[catalogue.items[one.item].department],
            need=matter.needs[one.item],
            fields=tuple(catalogue.items[one.item].fields[name] for name in one.fields),
            required=one.required,
            params=one.params,
            expect=one.expect,
        )
        for one in asked.items
    )


def terms_of(asked: AuthorizationRequest, catalogue: Catalogue, requester_zh: str, requester_en: str) -> Terms:
    return Terms(
        requester_zh=requester_zh,
        requester_en=requester_en,
        matter=catalogue.matters[asked.matter],
        case=asked.case,
        uses=asked.uses,
        days=max(1, asked.valid_for // DAY),
        signed_as=asked.signed_as,
    )


def choose(offered: Sequence[OfferedItem], choices: Sequence[Choice]) -> tuple[OfferedItem, ...]:
    """The offered lines cut to what the person chose. Refused where that is not a choice among them.

    A required item may not be left out: without it there is nothing to sign, and the person can decline.
    """
    chosen = {choice.item: choice for choice in choices}
    required = {line.item.id for line in offered if line.required}
    if not chosen or len(chosen) != len(choices) or not required <= chosen.keys():
        raise Refused(Code.INVALID_REQUEST, member="items")
    if not chosen.keys() <= {line.item.id for line in offered}:
        raise Refused(Code.UNKNOWN_ITEM)
    return tuple(_cut(line, chosen[line.item.id]) for line in offered if line.item.id in chosen)


def compose(
    asked: AuthorizationRequest,
    chosen: Sequence[OfferedItem],
    signer: Signer,
    *,
    notice: parts.Notice,
    issuance: Issuance,
) -> bytes:
    """The payload's exact bytes. A new composition has a new `jti`, so an earlier one can never be granted too."""
    claims = ConsentClaims(
        ver=1,
        iss=signer.key.kid,
        sub=signer.sub,
        aud=issuance.issuer,
        client_id=asked.requester,
        jti=secrets.token_urlsafe(16),
        req=asked.id,
        iat=issuance.now,
        nbf=issuance.now,
        exp=issuance.now + asked.valid_for,
        uses=asked.uses,
        party=Party(asked.party),
        matter=asked.matter,
        matter_version=asked.matter_version,
        case=asked.case,
        authorization_details=[_detail(line, notice.lang) for line in chosen],
        notice=Notice(notice.id, notice.version, notice.lang, notice.sha256),
        channel=Channel(ChannelMode(asked.mode), signer.act, asked.evidence_sha256),
        status=issuance.status,
    )
    return msgspec.json.encode(claims)


def signing_input(key: PublicKey, payload: bytes) -> str:
    """The bytes to sign (RFC 7515 section 5.1), as ASCII text."""
    header = {"alg": key.alg, "kid": key.kid, "typ": TYPE}
    assert header.keys() == HEADER
    encoded = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    return f"{to_base64url(encoded)}.{to_base64url(payload)}"


def granted_items(claims: ConsentClaims) -> list[parts.GrantedItem]:
    """What was agreed to, for the log; claimed values stay out of it."""
    return [
        parts.GrantedItem(
            detail.item, detail.department, detail.fields, detail.purpose, detail.legal_basis, detail.keep_days
        )
        for detail in claims.authorization_details
    ]


def _cut(line: OfferedItem, choice: Choice) -> OfferedItem:
    if choice.fields is None:
        return line
    offered = {one.id: one for one in line.fields}
    if not choice.fields or len(set(choice.fields)) != len(choice.fields) or not set(choice.fields) <= offered.keys():
        raise Refused(Code.INVALID_REQUEST, member="items")
    kept = tuple(one for one in line.fields if one.id in choice.fields)
    expect = {name: value for name, value in line.expect.items() if name in choice.fields}
    return OfferedItem(line.item, line.department, line.need, kept, line.required, line.params, expect)


def _detail(line: OfferedItem, lang: str) -> Detail:
    expect: Mapping[str, Any] = line.expect
    return Detail(
        type="record",
        item=line.item.id,
        department=line.department.id,
        fields=[one.id for one in line.fields],
        purpose=line.need.purpose_en if lang == "en" else line.need.purpose_zh,
        legal_basis=line.need.legal_basis,
        keep_days=line.need.keep_days,
        params=dict(line.params),
        expect=dict(expect),
    )
