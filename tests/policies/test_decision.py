"""Each shipped rule decides a case that no other rule decides, and every way of failing refuses."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decision import NO_POLICY_PERMITS, RULES_FAILED, Facts, Permit, Refuse, Rules
from policies.rule_files import SHIPPED_RULES, read_rules
from policies.vocabulary import ChannelMode, LegalBasis, Party, SubjectKind
from tests.policies.facts import CATALOGUE, MATTER, facts

RULES = Rules.load()

PERMITTED = {
    "signed_online": facts(mode=ChannelMode.ONLINE),
    "signed_at_counter": facts(mode=ChannelMode.COUNTER),
    "signed_by_guardian": facts(mode=ChannelMode.GUARDIAN, evidenced=True),
    "signed_by_entrusted": facts(mode=ChannelMode.ENTRUSTED, evidenced=True),
    "signed_with_assistance": facts(mode=ChannelMode.ASSISTED, evidenced=True, uses=1, life=86400),
}

JOINT = replace(CATALOGUE.item("deed_tax"), joint=(Party.APPLICANT, Party.SPOUSE))
PLAIN_NEED = replace(MATTER.needs["deed_tax"], legal_basis=LegalBasis.CONSENT)

REFUSED = {
    "matter_not_registered": facts(permitted_matters=frozenset({"loan"})),
    "item_not_needed": facts(need=None),
    "field_not_needed": facts(fields=("paid_date", "transfer_area")),
    "nothing_asked": facts(fields=()),
    "operator_not_named": facts(operator_named=False),
    "basis_not_as_needed": facts(legal_basis=LegalBasis.WRITTEN_CONSENT),
    "joint_party_missing": facts(item=JOINT, granted_by=frozenset({Party.APPLICANT})),
    "party_not_permitted": facts("real_estate_registration", granted_by=frozenset({Party.PARENT})),
    "sensitive_basis": facts(need=PLAIN_NEED, legal_basis=LegalBasis.CONSENT),
    "acting_without_paper": facts(mode=ChannelMode.ENTRUSTED),
    "assisted_too_wide": facts(mode=ChannelMode.ASSISTED, evidenced=True, uses=2, life=86400),
    "sensitive_assurance": facts(assurance=1),
    "not_the_recipient": facts(recipient="human_resources"),
    "agreement_ended": facts(agreement_needed=True),
    "other_sort_of_subject": facts(subject_kind=SubjectKind.ORGANISATION),
}


def without(rule: str, folder: Path) -> Rules:
    """Write the shipped rules without `rule` into `folder` and load them."""
    for path in SHIPPED_RULES.iterdir():
        text = path.read_text(encoding="utf-8")
        kept = [part for part in text.split("\n\n") if f'@id("{rule}")' not in part]
        if path.suffix != ".cedar" or kept:
            (folder / path.name).write_text("\n\n".join(kept), encoding="utf-8")
    rules = Rules.load(folder)
    assert set(read_rules().rules) - set(read_rules(folder).rules) == {rule}
    return rules


def codes(rules: Rules, asked: Facts) -> list[str]:
    decision = rules.decide(asked)
    assert isinstance(decision, Refuse)
    assert decision.reasons
    return [reason.code for reason in decision.reasons]


def test_every_shipped_rule_has_its_case() -> None:
    assert set(read_rules().rules) == PERMITTED.keys() | REFUSED.keys()
    assert RULES.digest == read_rules().digest


@pytest.mark.parametrize("rule", PERMITTED)
def test_a_permit_permits_and_without_it_nothing_does(rule: str, tmp_path: Path) -> None:
    assert RULES.decide(PERMITTED[rule]) == Permit((rule,))
    assert without(rule, tmp_path).decide(PERMITTED[rule]) == Refuse((NO_POLICY_PERMITS,))


@pytest.mark.parametrize("rule", REFUSED)
def test_a_forbid_alone_refuses_and_without_it_the_case_passes(rule: str, tmp_path: Path) -> None:
    assert codes(RULES, REFUSED[rule]) == [rule]
    assert isinstance(without(rule, tmp_path).decide(REFUSED[rule]), Permit)


@pytest.mark.parametrize("item_id", MATTER.needs)
def test_the_whole_shipped_matter_is_permitted(item_id: str) -> None:
    assert RULES.decide(facts(item_id)) == Permit(("signed_online",))


def test_each_item_has_its_own_decision() -> None:
    asked = [facts(item_id, operator_named=item_id != "deed_tax") for item_id in MATTER.needs]
    decisions = [RULES.decide(one) for one in asked]
    assert [type(one) for one in decisions] == [Refuse if name == "deed_tax" else Permit for name in MATTER.needs]


def test_all_reasons_are_told_in_both_languages() -> None:
    decision = RULES.decide(facts(operator_named=False, assurance=0, permitted_matters=frozenset()))
    assert isinstance(decision, Refuse)
    assert [reason.policy for reason in decision.reasons] == [
        "matter_not_registered",
        "operator_not_named",
        "sensitive_assurance",
    ]
    assert all(reason.text_zh and reason.text_en for reason in decision.reasons)


@pytest.mark.parametrize("mine", ["", "taxation", "human_resources"])
def test_what_a_matter_needs_is_for_its_recipient_only(mine: str) -> None:
    asked = facts(requester_department=mine, recipient="human_resources")
    assert RULES.decide(asked) == Permit(("signed_online",)) if mine == "human_resources" else codes(RULES, asked)
    assert mine == "" or codes(RULES, facts(requester_department=mine)) == ["not_the_recipient"]


@pytest.mark.parametrize("mode", [ChannelMode.GUARDIAN, ChannelMode.ENTRUSTED, ChannelMode.ASSISTED])
def test_whoever_acts_for_a_person_needs_a_paper(mode: ChannelMode) -> None:
    assert codes(RULES, facts(mode=mode, uses=1, life=3600)) == ["acting_without_paper"]


@pytest.mark.parametrize("wider", [{"uses": 2}, {"life": 86401}])
def test_an_assisted_consent_is_for_one_use_within_a_day(wider: dict[str, Any]) -> None:
    narrow = facts(mode=ChannelMode.ASSISTED, evidenced=True, uses=1, life=86400)
    assert RULES.decide(narrow) == Permit(("signed_with_assistance",))
    assert codes(RULES, replace(narrow, **wider)) == ["assisted_too_wide"]


@pytest.mark.parametrize("basis", [LegalBasis.STATUTORY_DUTY, LegalBasis.OTHER_LAW])
def test_a_legal_basis_is_a_label_and_opens_nothing(basis: LegalBasis) -> None:
    need = replace(MATTER.needs["deed_tax"], legal_basis=basis)
    assert codes(RULES, facts(need=need, legal_basis=basis)) == ["sensitive_basis"]


def test_a_row_about_another_item_lends_nothing() -> None:
    need = replace(MATTER.needs["hpf_remote_account"], fields=MATTER.needs["deed_tax"].fields)
    assert codes(RULES, facts(need=need)) == ["item_not_needed"]


def test_a_field_the_item_does_not_have_counts_as_sensitive() -> None:
    need = replace(PLAIN_NEED, fields=("not_in_the_item",))
    asked = facts(need=need, fields=need.fields, legal_basis=LegalBasis.CONSENT)
    assert codes(RULES, asked) == ["sensitive_basis"]


def test_ordinary_fields_of_an_item_with_sensitive_ones_go_by_plain_consent() -> None:
    asked = facts(need=PLAIN_NEED, fields=("paid_date",), legal_basis=LegalBasis.CONSENT, assurance=1)
    assert RULES.decide(asked) == Permit(("signed_online",))


def test_a_joint_item_wants_every_party() -> None:
    assert RULES.decide(facts(item=JOINT, granted_by=frozenset(JOINT.joint))) == Permit(("signed_online",))
    assert codes(RULES, facts(item=JOINT, granted_by=frozenset())) == ["joint_party_missing"]


ERRING = """
@id("errs")
@reason_zh("会出错")
@reason_en("This rule errs.")
forbid (principal, action == Action::"release", resource)
when { context.assurance + 9223372036854775807 > 0 };
"""


@pytest.fixture
def erring(tmp_path: Path) -> Path:
    for path in SHIPPED_RULES.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "erring.cedar").write_text(ERRING, encoding="utf-8")
    return tmp_path


def test_a_forbid_that_errs_refuses_although_cedar_allows(erring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[cedarpy.AuthzResult] = []
    original = cedarpy.is_authorized

    def watched(*args: Any) -> cedarpy.AuthzResult:
        seen.append(original(*args))
        return seen[-1]

    monkeypatch.setattr(cedarpy, "is_authorized", watched)
    assert Rules.load(erring).decide(facts()) == Refuse((RULES_FAILED,))
    assert seen[0].allowed, "the trap is gone: Cedar no longer allows here, and this test proves nothing"


def test_a_failing_rule_does_not_hide_the_others(erring: Path) -> None:
    assert codes(Rules.load(erring), facts(operator_named=False)) == ["operator_not_named", "rules_failed"]


def test_every_call_reuses_the_parsed_handles(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules.load()
    seen: list[tuple[Any, ...]] = []
    metrics: list[dict[str, int]] = []
    original = cedarpy.is_authorized

    def watched(*args: Any) -> cedarpy.AuthzResult:
        seen.append(args[1:])
        result = original(*args)
        metrics.append(result.metrics)
        return result

    monkeypatch.setattr(cedarpy, "is_authorized", watched)
    for item_id in MATTER.needs:
        rules.decide(facts(item_id))
    assert len({tuple(map(id, handles)) for handles in seen}) == 1
    assert len(seen) == len(MATTER.needs)
    for name in ("policies_pre_parsed", "schema_pre_parsed", "entities_pre_parsed"):
        assert all(one[name] for one in metrics)


@pytest.mark.parametrize(
    "change",
    [
        {"assurance": 2**63},
        {"assurance": True},
        {"assurance": "2"},
        {"operator_named": "yes"},
        {"requester": "\ud800"},
        {"matter": "\ud800"},
        {"fields": ({"__entity": {"type": "Item", "id": "deed_tax"}},)},
        {"fields": None},
        {"permitted_matters": None},
        {"item": None},
        {"need": object()},
    ],
)
def test_facts_out_of_shape_are_no_decision(change: dict[str, Any]) -> None:
    assert RULES.decide(facts(**change)) == Refuse((RULES_FAILED,))


@pytest.mark.parametrize("extra", ["cleared", "principal", "__entity"])
def test_a_fact_that_the_schema_does_not_know_is_refused(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules.load()
    original = cedarpy.is_authorized

    def widened(request: dict[str, Any], *handles: Any) -> cedarpy.AuthzResult:
        return original({**request, "context": {**request["context"], extra: True}}, *handles)

    monkeypatch.setattr(cedarpy, "is_authorized", widened)
    assert rules.decide(facts()) == Refuse((RULES_FAILED,))


@pytest.mark.parametrize("handle", [1, 3])
def test_a_missing_schema_or_empty_set_permits_nothing(handle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules' texts stay the same, but one of the handles is not what it should be."""
    rules = Rules.load()
    original = cedarpy.is_authorized
    empty: dict[int, Any] = {1: cedarpy.PolicySet.from_str(""), 3: cedarpy.Schema.from_str("entity Nothing;")}

    def bent(*args: Any) -> cedarpy.AuthzResult:
        return original(*(*args[:handle], empty[handle], *args[handle + 1 :]))

    monkeypatch.setattr(cedarpy, "is_authorized", bent)
    assert isinstance(rules.decide(facts()), Refuse)


def test_an_engine_that_breaks_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules.load()

    def broken(*_: Any) -> cedarpy.AuthzResult:
        raise ValueError("broken")

    monkeypatch.setattr(cedarpy, "is_authorized", broken)
    assert rules.decide(facts()) == Refuse((RULES_FAILED,))


def test_an_allow_for_which_no_rule_stands_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules.load()
    monkeypatch.setattr(cedarpy, "is_authorized", lambda *_: cedarpy.AuthzResult({"decision": "Allow"}))
    assert rules.decide(facts()) == Refuse((RULES_FAILED,))


def test_a_decision_is_remembered_for_equal_facts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules.load()
    permitted = rules.decide(facts())
    assert isinstance(permitted, Permit)

    def broken(*_: Any) -> cedarpy.AuthzResult:
        raise ValueError("broken")

    monkeypatch.setattr(cedarpy, "is_authorized", broken)
    assert rules.decide(facts()) is permitted
    assert rules.decide(facts(operator_named=False)) == Refuse((RULES_FAILED,))
    monkeypatch.undo()
    unnamed = rules.decide(facts(operator_named=False))
    assert isinstance(unnamed, Refuse)
    assert RULES_FAILED not in unnamed.reasons


def test_facts_and_decisions_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        facts().operator_named = True  # type: ignore[misc]  # the attempt is the test
    with pytest.raises(FrozenInstanceError):
        Permit(()).policies = ("signed_online",)  # type: ignore[misc]  # the attempt is the test


WILD = st.text(alphabet=st.characters(exclude_categories=()), max_size=40)
FIELDS = st.sampled_from([*CATALOGUE.item("deed_tax").fields, "not_in_the_item"]) | WILD


@settings(max_examples=300, deadline=None)
@given(
    requester=WILD,
    requester_department=st.just("") | WILD,
    recipient=st.just("") | WILD,
    subject_kind=st.sampled_from(SubjectKind),
    permitted_matters=st.frozensets(st.just(MATTER.id) | WILD, max_size=3),
    operator_named=st.booleans(),
    matter=st.just(MATTER.id) | WILD,
    need=st.sampled_from([None, *MATTER.needs.values()]),
    fields=st.lists(FIELDS, max_size=4).map(tuple),
    mode=st.sampled_from(ChannelMode) | WILD,
    legal_basis=st.sampled_from(LegalBasis) | WILD,
    assurance=st.integers(),
    granted_by=st.frozensets(st.sampled_from(Party)),
)
def test_decide_never_raises_and_never_permits_beyond_the_need(**wild: Any) -> None:
    asked = facts(**wild)
    decision = RULES.decide(asked)
    if isinstance(decision, Refuse):
        assert decision.reasons
        return
    assert decision.policies
    assert asked.need is not None
    assert asked.need.item == asked.item.id
    assert asked.fields
    assert set(asked.fields) <= set(asked.need.fields)
    assert asked.matter in asked.permitted_matters


@settings(max_examples=200, deadline=None)
@given(fields=st.lists(FIELDS, min_size=1, max_size=4).map(tuple))
def test_with_all_else_in_order_the_fields_alone_decide(fields: tuple[str, ...]) -> None:
    """Else the property above could hold because nothing is ever permitted."""
    within = set(fields) <= set(MATTER.needs["deed_tax"].fields)
    assert isinstance(RULES.decide(facts(fields=fields)), Permit if within else Refuse)


def test_what_is_remembered_of_a_number_is_not_told_of_what_only_equals_it() -> None:
    assert RULES.decide(facts(assurance=1)) != Refuse((RULES_FAILED,))
    assert RULES.decide(facts(assurance=True)) == Refuse((RULES_FAILED,))
    assert RULES.decide(facts(operator_named=1)) == Refuse((RULES_FAILED,))
