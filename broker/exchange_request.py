"""What an exchange asks, held against what was granted: steps 3 to 5 of the one path.

 3 consent   each token verified, and equal to the stored offer
 4 match     requester, matter, case, items and fields lie within the tokens
 5 decide    one decision per item, never fewer

What a token proves by itself is verified before the transaction; all else holds as of the transaction that admits.
Nothing here writes. A refusal is returned, with what had been verified until then, for admission to record.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from audit import parts
from broker.requesters import Requester, VerifiedRequest
from broker.standing import Caller
from broker.steps import Walk
from consent import grants
from consent.grants import Granted
from consent.keys import PublicKey
from consent.token import VerifiedConsent, verify_consent
from policies.catalogue import Catalogue
from policies.decision import Facts, Permit, Rules
from policies.refusals import Code, Refusal, Refused, TokenRole
from policies.vocabulary import Grant, Item, Party


class AskedPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of one party; without `fields`, all that were granted."""

    party: Party
    item: str
    fields: list[str] | None = None


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The named person at the requester who asks. The name is not kept; the staff number and desk are."""

    id: str
    name: str = ""
    desk: str = ""


class ExchangeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members of an `exchange-request+jwt` beside the registered claims."""

    exchange: str
    consents: list[str]
    matter: str
    case: str
    items: list[AskedPart] | None = None
    operator: Operator | None = None


@dataclass(frozen=True, slots=True)
class PartyConsent:
    """One party's verified consent and the grant it is."""

    consent: VerifiedConsent
    granted: Granted

    @property
    def party(self) -> str:
        return self.consent.claims.party


@dataclass(frozen=True, slots=True)
class Line:
    """One item of one person, matched and permitted: what one department will be asked."""

    party: PartyConsent
    item: Item
    grant: Grant
    fields: tuple[str, ...]
    policies: tuple[str, ...] = ()

    @property
    def name(self) -> tuple[str, str]:
        return self.party.party, self.item.id

    @property
    def concerned(self) -> frozenset[str]:
        """Whose consents must stand for it: its own party's and, of a joint item, all the others' it needs."""
        return frozenset({self.party.party, *self.item.joint})


@dataclass(frozen=True, slots=True)
class Examined:
    """The outcome of steps 3 to 5, ready for admission: permitted lines, or a refusal."""

    request: VerifiedRequest[ExchangeBody]
    parties: tuple[PartyConsent, ...]
    lines: tuple[Line, ...] = ()
    refusal: Refusal | None = field(default=None)

    @property
    def operator(self) -> parts.Operator:
        operator = self.request.body.operator
        return parts.Operator(operator.id, operator.desk) if operator is not None else parts.Operator("", "")

    @property
    def consents(self) -> Mapping[str, tuple[str, str]]:
        return {party.party: party.consent.id for party in self.parties}

    @property
    def caller(self) -> Caller:
        return Caller(self.request.requester, self.request.kid, self.consents)

    def fingerprint(self) -> bytes:
        """What a repeat must equal: consents, matter, case and items."""
        body = self.request.body
        lines = sorted((*line.name, *sorted(line.fields)) for line in self.lines)
        return hashlib.sha256(
            json.dumps([sorted(self.consents.items()), body.matter, body.case, lines]).encode()
        ).digest()


def verify_tokens(
    texts: Sequence[str], *, key_of: Callable[[str], PublicKey | None], audience: str, now: float
) -> list[VerifiedConsent | Refused]:
    """Step 3, as far as the tokens prove it themselves; the first refusal is the last of the list."""
    verified: list[VerifiedConsent | Refused] = []
    for text in texts:
        try:
            verified.append(verify_consent(text, key_of=key_of, audience=audience, now=now))
        except Refused as refused:
            return [*verified, refused]
    return verified


def examine(
    connection: Connection,
    request: VerifiedRequest[ExchangeBody],
    tokens: Sequence[VerifiedConsent | Refused],
    *,
    requester: Requester,
    catalogue: Catalogue,
    rules: Rules,
    walk: Walk,
) -> Examined:
    """Steps 3 to 5; of the tokens what `verify_tokens` made of them."""
    parties: list[PartyConsent] = []
    try:
        for token in tokens:  # 3
            if isinstance(token, Refused):
                raise token
            parties.append(PartyConsent(token, grants.granted_to(connection, token)))
        walk.at(4)
        lines = match(request, parties, catalogue)  # 4
    except Refused as refused:
        return Examined(request, tuple(parties), refusal=refused.refusal)
    walk.at(5)
    permitted, refusal = decide(request, requester, parties, lines, catalogue, rules)  # 5
    return Examined(request, tuple(parties), permitted, refusal)


def match(
    request: VerifiedRequest[ExchangeBody], parties: Sequence[PartyConsent], catalogue: Catalogue
) -> tuple[Line, ...]:
    """Step 4. Raises Refused."""
    body = request.body
    if body.matter not in catalogue.matters:
        raise Refused(Code.UNKNOWN_MATTER)
    for party in parties:
        claims = party.consent.claims
        if claims.client_id != request.requester:
            raise Refused(Code.NOT_THE_REQUESTER, TokenRole.CONSENT)
        if claims.matter != body.matter:
            raise Refused(Code.MATTER_MISMATCH, TokenRole.CONSENT)
        if claims.case != body.case:
            raise Refused(Code.CASE_MISMATCH, TokenRole.CONSENT)
    by_party = {party.party: party for party in parties}
    if len(by_party) != len(parties):
        raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member="consents")
    asked = body.items if body.items is not None else _all_granted(parties)
    lines = tuple(_line(part, by_party, catalogue) for part in asked)
    if not lines or len({line.name for line in lines}) != len(lines):
        raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member="items")
    return lines


def decide(
    request: VerifiedRequest[ExchangeBody],
    requester: Requester,
    parties: Sequence[PartyConsent],
    lines: Sequence[Line],
    catalogue: Catalogue,
    rules: Rules,
) -> tuple[tuple[Line, ...], Refusal | None]:
    """Step 5: each line with the policies that permitted it, or the refusal with every reason of every item."""
    matter = catalogue.matters[request.body.matter]
    permitted: list[Line] = []
    reasons: list[str] = []
    for line in lines:
        claims = line.party.consent.claims
        covering = (one.party for one in parties if one.consent.grant(line.item.id) is not None)
        decision = rules.decide(
            Facts(
                requester=requester.id,
                requester_department=requester.department,
                permitted_matters=requester.matters,
                operator_named=request.body.operator is not None and bool(request.body.operator.id),
                matter=matter.id,
                recipient=matter.recipient,
                subject_kind=line.party.granted.subject_kind,
                item=line.item,
                need=matter.needs.get(line.item.id),
                fields=line.fields,
                mode=claims.channel.mode,
                evidenced=bool(claims.channel.evidence_sha256),
                uses=claims.uses,
                life=claims.exp - claims.nbf,
                legal_basis=line.grant.legal_basis,
                assurance=line.party.granted.assurance,
                granted_by=frozenset(map(Party, covering)),
                agreement_needed=requester.agreed is not None,
                agreed=requester.has_agreed(line.item.id),
            )
        )
        if isinstance(decision, Permit):
            permitted.append(Line(line.party, line.item, line.grant, line.fields, decision.policies))
        else:
            reasons += [f"{line.item.id}:{reason.code}" for reason in decision.reasons]
    if reasons:
        return (), Refusal(Code.POLICY_REFUSED, reasons=tuple(reasons))
    return tuple(permitted), None


def _all_granted(parties: Sequence[PartyConsent]) -> list[AskedPart]:
    return [AskedPart(Party(party.party), grant.item) for party in parties for grant in party.consent.grants]


def _line(part: AskedPart, by_party: Mapping[str, PartyConsent], catalogue: Catalogue) -> Line:
    item = catalogue.items.get(part.item)
    if item is None:
        raise Refused(Code.UNKNOWN_ITEM)
    party = by_party.get(part.party)
    grant = party.consent.grant(item.id) if party is not None else None
    if party is None or grant is None:
        raise Refused(Code.ITEM_NOT_GRANTED)
    fields = tuple(part.fields) if part.fields is not None else grant.fields
    if not set(fields) <= set(grant.fields):
        raise Refused(Code.FIELD_NOT_GRANTED)
    if not fields or len(set(fields)) != len(fields):
        raise Refused(Code.INVALID_REQUEST, TokenRole.REQUEST, member="items")
    return Line(party, item, grant, fields)
