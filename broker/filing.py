"""An authorization request as a requester files it: the wire's members, held against catalogue, channel and rules."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from audit import parts
from broker.channels import CHANNELS, check_members
from broker.exchange_request import Operator
from broker.requesters import Requester, VerifiedRequest
from consent.asking import AskedItem
from consent.requests import Filing
from policies.catalogue import Catalogue
from policies.decision import Facts, Refuse, Rules
from policies.errors import ValueRefusedError
from policies.identifiers import read_id_number, read_identifier, read_label, read_uscc
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.values import check_expect, check_params
from policies.vocabulary import ChannelMode, Item, Matter, Organisation, Party, Person, Subject, SubjectKind

LONGEST_NAME = 60
LONGEST_ORGANISATION = 120
DAY = 24 * 3600
SHORTEST: Final = 60
"""Seconds; a consent shorter than a minute serves nobody."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class FiledItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    item: str
    fields: list[str] | None = None
    required: bool | None = None
    params: dict[str, Any] = {}
    expect: dict[str, Any] = {}


class FiledPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody whom a request names."""

    name: str
    id_number: str
    kind: Literal["person"] = "person"


class FiledSubject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person with `id_number`: only she may see and sign the request. An organisation: its `handler` may."""

    name: str
    kind: SubjectKind = SubjectKind.PERSON
    id_number: str | None = None
    uscc: str | None = None
    handler: FiledPerson | None = None


class FiledPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked in one part of a bundle, where it is not all that the part's matter asks by default."""

    matter: str
    items: list[FiledItem]
    party: Party = Party.APPLICANT


class FilingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members of an `authorization-request+jwt` beside the registered claims."""

    case: str
    matter: str | None = None
    bundle: str | None = None
    """Instead of a matter: several at once, each asked for by its own recipient."""
    parts: list[FiledPart] | None = None
    party: Party = Party.APPLICANT
    mode: ChannelMode = ChannelMode.ONLINE
    items: list[FiledItem] | None = None
    subject: FiledSubject | None = None
    acting: FiledPerson | None = None
    """Who signs for the subject, where the channel says so."""
    witness: FiledPerson | None = None
    evidence_sha256: str | None = None
    """Of the paper by which somebody may act; it stays with the requester."""
    uses: int | None = None
    valid_for: int | None = None
    operator: Operator | None = None

    @property
    def subject_kind(self) -> SubjectKind:
        """A request that names nobody is a person's, whoever opens it."""
        return self.subject.kind if self.subject is not None else SubjectKind.PERSON


@dataclass(frozen=True, slots=True)
class PartOf:
    """The bundle's request of which a request is a part, and the requester at which it began; empty of neither."""

    bundle: str = ""
    lead: str = ""


def check_filing(
    request: VerifiedRequest[FilingBody],
    requester: Requester,
    catalogue: Catalogue,
    routed: Collection[str],
    of: PartOf,
) -> Filing:
    """The request in the catalogue's terms; what is left out is the matter's own. Raises Refused.

    Nobody is asked to consent to an item that no department here can be asked for (not in `routed`).
    """
    body = request.body
    if body.matter is None or body.parts is not None:
        raise _invalid("matter" if body.matter is None else "parts")
    if body.matter not in catalogue.matters:
        raise Refused(Code.UNKNOWN_MATTER)
    matter = catalogue.matters[body.matter]
    if matter.id not in requester.matters:
        raise Refused.because(Refusal(Code.POLICY_REFUSED, reasons=("matter_not_registered",)))
    _check_case(body)
    _check_channel(body)
    return Filing(
        requester=requester.id,
        kid=request.kid,
        jti=request.claims.jti,
        matter=matter.id,
        matter_version=matter.version,
        case=body.case,
        party=body.party,
        mode=body.mode,
        subject_kind=body.subject_kind,
        items=_items(body, matter, catalogue, routed),
        uses=_within("uses", body.uses, 1, _least(matter.uses, CHANNELS[body.mode].uses)),
        valid_for=_within(
            "valid_for", body.valid_for, SHORTEST, _least(matter.valid_days * DAY, CHANNELS[body.mode].life)
        ),
        operator=parts.Operator(body.operator.id, body.operator.desk) if body.operator else parts.Operator("", ""),
        evidence_sha256=body.evidence_sha256 or "",
        bundle=of.bundle,
        lead=of.lead,
    )


def check_rules(filing: Filing, requester: Requester, catalogue: Catalogue, rules: Rules) -> None:
    """Nobody is asked for what the gate would refuse anyway. Raises Refused(policy_refused) with every reason.

    Taken for granted: that she is surely identified, that a clerk is named, and that all who must agree do.
    """
    matter = catalogue.matters[filing.matter]
    reasons = []
    for asked in filing.items:
        item, need = catalogue.items[asked.item], matter.needs[asked.item]
        decision = rules.decide(
            Facts(
                requester=requester.id,
                requester_department=requester.department,
                permitted_matters=requester.matters,
                operator_named=True,
                matter=matter.id,
                recipient=matter.recipient,
                subject_kind=filing.subject_kind,
                item=item,
                need=need,
                fields=asked.fields,
                mode=ChannelMode(filing.mode),
                evidenced=bool(filing.evidence_sha256),
                uses=filing.uses,
                life=filing.valid_for,
                legal_basis=need.legal_basis,
                assurance=3,
                granted_by=frozenset({Party(filing.party), *item.joint}),
                agreement_needed=requester.agreed is not None,
                agreed=requester.has_agreed(item.id),
            )
        )
        if isinstance(decision, Refuse):
            reasons += [f"{asked.item}:{reason.code}" for reason in decision.reasons]
    if reasons:
        raise Refused.because(Refusal(Code.POLICY_REFUSED, reasons=tuple(reasons)))


def read_subject(unverified: FiledSubject, role: TokenRole | None = None) -> Subject:
    """Whom the request is about, well-formed. Raises Refused(invalid_request) naming the member, never the value."""
    given = {"id_number": unverified.id_number, "uscc": unverified.uscc, "handler": unverified.handler}
    wanted = {"uscc", "handler"} if unverified.kind is SubjectKind.ORGANISATION else {"id_number"}
    for member, value in given.items():
        if (value is not None) != (member in wanted):
            raise Refused(Code.INVALID_REQUEST, role, member=f"subject.{member}")
    if unverified.kind is SubjectKind.PERSON:
        return read_person(FiledPerson(unverified.name, unverified.id_number or ""), role)
    name = _name(unverified.name, LONGEST_ORGANISATION, role, "subject")
    try:
        return Organisation(name, read_uscc(unverified.uscc or ""))
    except ValueError:
        raise Refused(Code.INVALID_REQUEST, role, member="subject.uscc") from None


def read_person(unverified: FiledPerson, role: TokenRole | None = None, member: str = "subject") -> Person:
    """The named person, well-formed. Raises Refused(invalid_request) naming the member, never the value.

    `role` is the token that names her, where it is one, and `member` where she stands in it.
    """
    name = _name(unverified.name, LONGEST_NAME, role, member)
    try:
        return Person(name, read_id_number(unverified.id_number))
    except ValueError:
        raise Refused(Code.INVALID_REQUEST, role, member=f"{member}.id_number") from None


def _name(unverified: str, longest: int, role: TokenRole | None, member: str) -> str:
    name = unverified.strip()
    if not 0 < len(name) <= longest or not name.isprintable():
        raise Refused(Code.INVALID_REQUEST, role, member=f"{member}.name")
    return name


def _check_case(body: FilingBody) -> None:
    try:
        read_identifier(body.case, range(1, 65))
    except ValueError as error:
        raise _invalid("case") from error
    if body.operator is None:
        return
    try:
        read_identifier(body.operator.id, range(1, 65))
        read_label(body.operator.desk)
    except ValueError as error:
        raise _invalid("operator") from error


def _check_channel(body: FilingBody) -> None:
    members = ("subject", "acting", "witness", "evidence_sha256", "operator")
    check_members(body.mode, {name: getattr(body, name) for name in members})
    if body.evidence_sha256 is not None and not _SHA256.fullmatch(body.evidence_sha256):
        raise _invalid("evidence_sha256")


def _least(most: int, bound: int | None) -> int:
    return most if bound is None else min(most, bound)


def _within(member: str, given: int | None, least: int, most: int) -> int:
    """What was asked for, by default all that may be."""
    if given is None:
        return most
    if not least <= given <= most:
        raise _invalid(member)
    return given


def _items(body: FilingBody, matter: Matter, catalogue: Catalogue, routed: Collection[str]) -> tuple[AskedItem, ...]:
    filed = body.items if body.items is not None else _unnamed(body, matter, catalogue, routed)
    if not set(routed).issuperset(one.item for one in filed):
        raise Refused(Code.UNKNOWN_ITEM)
    items = {one.item: _item(one, matter, catalogue, body.subject_kind) for one in filed}
    if not items or len(items) != len(filed):
        raise _invalid("items")
    # In the order of the matter's needs, so that a notice reads the same whoever files it
    return tuple(items[item] for item in matter.needs if item in items)


def _unnamed(body: FilingBody, matter: Matter, catalogue: Catalogue, routed: Collection[str]) -> list[FiledItem]:
    """What is asked where a request names nothing: the matter's defaults, as far as this party can be asked here."""
    defaults = (need.item for need in matter.needs.values() if need.default and need.item in routed)
    filed = [FiledItem(item) for item in defaults if _may_be_about(body, catalogue.items[item])]
    if not filed:
        raise Refused(Code.UNKNOWN_ITEM)
    return filed


def _may_be_about(body: FilingBody, item: Item) -> bool:
    return item.about is body.subject_kind and (not item.parties or body.party in item.parties)


def _item(filed: FiledItem, matter: Matter, catalogue: Catalogue, kind: SubjectKind) -> AskedItem:
    need = matter.needs.get(filed.item)
    if need is None:
        raise Refused(Code.UNKNOWN_ITEM)
    item = catalogue.items[need.item]
    if item.about is not kind:
        raise _invalid(f"items.{need.item}")
    fields = tuple(filed.fields) if filed.fields is not None else need.fields
    if not fields or len(set(fields)) != len(fields) or not set(fields) <= set(need.fields):
        raise _invalid(f"items.{need.item}.fields")
    try:
        params: Mapping[str, str] = check_params(item, filed.params)
        expect = check_expect(item, fields, filed.expect)
    except ValueRefusedError as error:
        raise _invalid(f"items.{need.item}.{error.member}") from error
    required = need.required if filed.required is None else filed.required
    return AskedItem(need.item, fields, required, params, expect)


def _invalid(member: str) -> Refused:
    return Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member=member)
