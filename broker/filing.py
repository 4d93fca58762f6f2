"""An authorization request as a requester files it: the wire's members, held against the catalogue."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from audit import parts
from broker.exchange_request import Operator
from broker.requesters import Requester, VerifiedRequest
from consent.requests import AskedItem, Filing
from consent.tickets import TICKET_LIFE
from policies.catalogue import Catalogue
from policies.errors import ValueRefusedError
from policies.identifiers import read_id_number, read_identifier, read_label
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.values import check_expect, check_params
from policies.vocabulary import ChannelMode, Matter, Party, Person

LONGEST_NAME = 60
DAY = 24 * 3600


class FiledItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    item: str
    fields: list[str] | None = None
    required: bool | None = None
    params: dict[str, Any] = {}
    expect: dict[str, Any] = {}


class FiledSubject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only person who may see and sign the request."""

    name: str
    id_number: str
    kind: Literal["person"] = "person"


class FilingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members of an `authorization-request+jwt` beside the registered claims."""

    matter: str
    case: str
    party: Party = Party.APPLICANT
    mode: ChannelMode = ChannelMode.ONLINE
    items: list[FiledItem] | None = None
    subject: FiledSubject | None = None
    uses: int | None = None
    valid_for: int | None = None
    operator: Operator | None = None


def check_filing(request: VerifiedRequest[FilingBody], requester: Requester, catalogue: Catalogue) -> Filing:
    """The request in the catalogue's terms; what is left out is the matter's own. Raises Refused."""
    body = request.body
    if body.matter not in catalogue.matters:
        raise Refused(Code.UNKNOWN_MATTER)
    matter = catalogue.matters[body.matter]
    if matter.id not in requester.matters:
        raise Refused.because(Refusal(Code.POLICY_REFUSED, reasons=("matter_not_registered",)))
    if body.mode not in TICKET_LIFE:
        raise _invalid("mode")
    _check_case(body)
    uses = body.uses if body.uses is not None else matter.uses
    valid_for = body.valid_for if body.valid_for is not None else matter.valid_days * DAY
    if not 1 <= uses <= matter.uses:
        raise _invalid("uses")
    if not 60 <= valid_for <= matter.valid_days * DAY:  # noqa: PLR2004 - a consent shorter than a minute serves nobody
        raise _invalid("valid_for")
    return Filing(
        requester=requester.id,
        kid=request.kid,
        jti=request.claims.jti,
        matter=matter.id,
        matter_version=matter.version,
        case=body.case,
        party=body.party,
        mode=body.mode,
        items=_items(body, matter, catalogue),
        uses=uses,
        valid_for=valid_for,
        operator=parts.Operator(body.operator.id, body.operator.desk) if body.operator else parts.Operator("", ""),
    )


def read_person(unverified: FiledSubject, role: TokenRole | None = None) -> Person:
    """The named person, well-formed. Raises Refused(invalid_request) naming the member, never the value.

    `role` is the token that names her, where it is one.
    """
    name = unverified.name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused(Code.INVALID_REQUEST, role, member="subject.name")
    try:
        return Person(name, read_id_number(unverified.id_number))
    except ValueError:
        raise Refused(Code.INVALID_REQUEST, role, member="subject.id_number") from None


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


def _items(body: FilingBody, matter: Matter, catalogue: Catalogue) -> tuple[AskedItem, ...]:
    filed = body.items if body.items is not None else [FiledItem(item) for item in matter.needs]
    items = {one.item: _item(one, matter, catalogue) for one in filed}
    if not items or len(items) != len(filed):
        raise _invalid("items")
    # In the order of the matter's needs, so that a notice reads the same whoever files it
    return tuple(items[item] for item in matter.needs if item in items)


def _item(filed: FiledItem, matter: Matter, catalogue: Catalogue) -> AskedItem:
    need = matter.needs.get(filed.item)
    if need is None:
        raise Refused(Code.UNKNOWN_ITEM)
    item = catalogue.items[need.item]
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
