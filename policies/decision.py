"""The one decision: facts about one item in, Permit or Refuse out, always with reasons.

1. Only Cedar's Allow together with no error at all permits. Cedar skips a forbid that errs: Allow alone is not enough.
2. The request is held against the schema on every call: a fact too many, too few or of another type is no decision.
3. No decision, an error or an exception refuses with `rules_failed`; where no rule permits, with `no_policy_permits`.

Not decided here: whether the person signed exactly this (consent/token.py), and whether it still stands (the ledger).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, TypeAlias

import cedarpy

from policies.rule_files import SHIPPED_RULES, RuleBook, read_rules
from policies.vocabulary import ChannelMode, Item, LegalBasis, Need, Party, SubjectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about one item of one call. Nothing in it is about a person by name or number."""

    requester: str
    requester_department: str
    """The department that the requester is registered as; empty for a fund centre."""
    permitted_matters: frozenset[str]
    """The matters the requester is registered for."""
    operator_named: bool
    matter: str
    recipient: str
    """The department that handles the matter and receives the answers; empty for any fund centre."""
    subject_kind: SubjectKind
    """What sort of subject the consent is about."""
    item: Item
    need: Need | None
    """The catalogue's row of this matter for this item; None where there is none."""
    fields: tuple[str, ...]
    """The fields asked for in this call."""
    mode: ChannelMode
    evidenced: bool
    """Whether a paper by which somebody acts for the person stands in what was signed, by its SHA-256."""
    uses: int
    life: int
    """How many exchanges the consent permits, and how many seconds it lives."""
    legal_basis: LegalBasis
    """As the person signed it."""
    assurance: int
    """How surely she was identified when signing.

    1 password or message code, 2 checked against the id-card register, 3 in person or as sure as that.
    """
    granted_by: frozenset[Party]
    """The parties of this case whose consents cover this item in this call."""
    agreement_needed: bool
    """Whether departments here give nothing without an agreement with the requester."""
    agreed: bool
    """Whether one that names this item is in force today."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is refused: `code` for programs, words for people, `policy` the rule's @id where a rule decided."""

    code: str
    policy: str
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Permit:
    policies: tuple[str, ...]
    """The @id of every rule that permitted, sorted."""


@dataclass(frozen=True, slots=True)
class Refuse:
    reasons: tuple[Reason, ...]
    """At least one, sorted by rule."""


Decision: TypeAlias = Permit | Refuse

NO_POLICY_PERMITS: Final = Reason("no_policy_permits", "", "没有规则允许这样查", "No rule permits this.")
RULES_FAILED: Final = Reason("rules_failed", "", "规则没有给出明确的答案", "The rules gave no clear answer.")


REMEMBERED: Final = 4096
"""Decisions kept. A decision follows from the facts and these rules alone, so remembering one remembers no standing."""
_COMPARED: Final = attrgetter(*(member.name for member in fields(Facts) if member.name not in {"item", "need"}))
"""All facts but the catalogue's own two objects, which are compared as objects."""


@dataclass(frozen=True, slots=True)
class _Decided:
    item: Item
    need: Need | None
    decision: Decision


class Rules:
    """The loaded rules; every decision uses the same parsed handles."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._remembered: dict[tuple[Any, ...], _Decided] = {}

    @classmethod
    def load(cls, folder: Path = SHIPPED_RULES) -> "Rules":
        """Read and validate the rules. Raises ConfigurationError for any finding: the program must not start."""
        return cls(read_rules(folder))

    @property
    def digest(self) -> str:
        """Hex SHA-256 over the rules' and the schema's names and bytes, see `files_digest`."""
        return self._book.digest

    def decide(self, facts: Facts) -> Decision:
        """Decide one item. Never raises; touches no clock, no network and no table."""
        try:
            compared = _COMPARED(facts)
            key = (facts.item.id, *compared, *map(type, compared))  # to Python alone True is 1
            known = self._remembered.get(key)
            if known is None or known.item is not facts.item or known.need is not facts.need:
                known = self._remember(key, _Decided(facts.item, facts.need, self._decide(facts)))
        except Exception:  # noqa: BLE001 - whatever goes wrong in deciding is a refusal, never a release
            return Refuse((RULES_FAILED,))
        return known.decision

    def _remember(self, key: tuple[Any, ...], decided: _Decided) -> _Decided:
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = decided
        return decided

    def _decide(self, facts: Facts) -> Decision:
        book = self._book
        return self._read(cedarpy.is_authorized(_request(facts), book.policies, book.entities, book.schema))

    def _read(self, result: cedarpy.AuthzResult) -> Decision:
        named = result.diagnostics.id_annotations_by_reason
        deciding = sorted(named[position] for position in result.diagnostics.reasons)
        if result.decision is cedarpy.Decision.Allow and deciding and not result.diagnostics.errors:
            return Permit(tuple(deciding))
        reasons = self._reasons(deciding) if result.decision is cedarpy.Decision.Deny else ()
        if result.diagnostics.errors or result.decision is not cedarpy.Decision.Deny:
            return Refuse((*reasons, RULES_FAILED))
        return Refuse(reasons or (NO_POLICY_PERMITS,))

    def _reasons(self, deciding: Iterable[str]) -> tuple[Reason, ...]:
        rules = (self._book.rules[identifier] for identifier in deciding)
        return tuple(Reason(rule.id, rule.id, rule.text_zh, rule.text_en) for rule in rules)


def _request(facts: Facts) -> dict[str, Any]:
    return {
        "principal": {"type": "Requester", "id": facts.requester},
        "action": {"type": "Action", "id": "release"},
        "resource": {"type": "Item", "id": facts.item.id},
        "context": {
            "requester_department": facts.requester_department,
            "permitted_matters": sorted(facts.permitted_matters),
            "operator_named": facts.operator_named,
            "matter": facts.matter,
            "recipient": facts.recipient,
            "subject_kind": facts.subject_kind,
            "about": facts.item.about,
            "fields": list(facts.fields),
            "sensitive": any(_is_sensitive(facts.item, name) for name in facts.fields),
            "mode": facts.mode,
            "evidenced": facts.evidenced,
            "uses": facts.uses,
            "life": facts.life,
            "legal_basis": facts.legal_basis,
            "assurance": facts.assurance,
            "joint": list(facts.item.joint),
            "parties": list(facts.item.parties),
            "granted_by": sorted(facts.granted_by),
            "agreement_needed": facts.agreement_needed,
            "agreed": facts.agreed,
        }
        | _need(facts),
    }


def _need(facts: Facts) -> dict[str, Any]:
    # A row about another item would lend its fields to this one.
    if facts.need is None or facts.need.item != facts.item.id:
        return {}
    return {"need": {"fields": list(facts.need.fields), "legal_basis": facts.need.legal_basis}}


def _is_sensitive(item: Item, name: str) -> bool:
    return name not in item.fields or item.fields[name].sensitive
