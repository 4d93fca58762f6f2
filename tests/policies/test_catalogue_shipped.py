"""The shipped catalogue: what it holds, that it cannot be changed, and that it speaks to people plainly."""

import re
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from policies.catalogue import SHIPPED_CATALOGUE, Catalogue
from policies.digest import files_digest
from policies.errors import PolicyError, UnknownItem, UnknownMatter
from policies.identifiers import read_id_number
from policies.vocabulary import FieldKind, Item, ItemKind, LegalBasis, MatterFamily, Party

CATALOGUE = Catalogue.load()
MATTER = CATALOGUE.matter("purchase_withdrawal")
NEEDS = {
    "real_estate_registration": (
        "real_estate_unit_number",
        "certificate_number",
        "location",
        "building_area",
        "co_ownership_kind",
        "share_ratio",
        "right_status",
        "registration_date",
    ),
    "deed_tax": ("tax_certificate_number", "location", "taxable_amount", "paid_amount", "paid_date"),
    "marriage_check_single": ("marital_status",),
    "hpf_remote_account": ("center_code", "personal_account", "account_status", "balance"),
}


def test_what_is_asked_without_being_named_stands_in_its_order() -> None:
    asked = [need for need in MATTER.needs.values() if need.default]
    assert [(need.item, need.fields) for need in asked] == list(NEEDS.items())
    assert [need.required for need in asked] == [True, False, False, True]
    assert {need.legal_basis for need in asked} == {LegalBasis.SEPARATE_CONSENT}
    assert {need.keep_days for need in asked} == {30}
    assert (MATTER.version, MATTER.uses, MATTER.valid_days) == ("2026-11", 3, 30)


def test_the_items_are_what_departments_are_configured_against() -> None:
    configured = {
        "deed_tax": ("taxation", ItemKind.QUERY, ("date_from", "date_to")),
        "hpf_remote_account": ("hpf_center_remote", ItemKind.QUERY, ("center_code",)),
        "marriage_check_single": ("civil_affairs", ItemKind.VERIFY, ()),
        "real_estate_registration": ("natural_resources", ItemKind.QUERY, ("division_code",)),
    }
    items = [CATALOGUE.item(name) for name in configured]
    assert {item.id: (item.department, item.kind, tuple(item.parameters)) for item in items} == configured
    assert set(CATALOGUE.item("marriage_check_single").fields["marital_status"].codes) == {"10", "20", "30", "40", "90"}
    money = {
        name for name, field in CATALOGUE.item("hpf_remote_account").fields.items() if field.kind is FieldKind.MONEY
    }
    assert money == {"contribution_base", "personal_monthly", "unit_monthly", "balance"}


def test_it_is_the_whole_of_what_a_fund_centre_meets() -> None:
    assert len(CATALOGUE.departments) >= 40
    assert len(CATALOGUE.items) >= 50
    assert len([matter for matter in CATALOGUE.matters.values() if not matter.recipient]) == 26
    batches = [matter.batch for matter in CATALOGUE.matters.values()]
    assert [batches.count(f"cross_province_{year}") for year in (2020, 2021, 2022)] == [3, 5, 5], "the national lists"
    needed = {need.item for matter in CATALOGUE.matters.values() for need in matter.needs.values()}
    assert len(needed) >= 45


def test_a_credit_report_is_asked_in_writing_and_for_loans_only() -> None:
    asked = [matter for matter in CATALOGUE.matters.values() if "credit_report" in matter.needs]
    assert asked
    assert {matter.family for matter in asked} == {MatterFamily.LOAN}
    assert {matter.needs["credit_report"].legal_basis for matter in asked} == {LegalBasis.WRITTEN_CONSENT}


@pytest.mark.parametrize("item", [item for item in CATALOGUE.items.values() if item.department == "natural_resources"])
def test_the_homes_of_nobody_but_self_and_spouse_are_asked_about(item: Item) -> None:
    if item.id != "construction_permit":  # a permit to build is published where it is granted
        assert item.parties == (Party.APPLICANT, Party.SPOUSE)


def test_both_spouses_grant_the_check_of_their_marriage() -> None:
    assert CATALOGUE.item("marriage_check_couple").joint == (Party.APPLICANT, Party.SPOUSE)


def test_yes_or_no_comes_before_data() -> None:
    """In each matter that has both, the check is asked unnamed and the data is not; and there is such a matter."""
    both = 0
    for matter in CATALOGUE.matters.values():
        by_question: dict[str, dict[ItemKind, bool]] = {}
        for need in matter.needs.values():
            item = CATALOGUE.item(need.item)
            if item.question:
                by_question.setdefault(item.question, {})[item.kind] = need.default
        for kinds in by_question.values():
            if len(kinds) > 1:
                both += 1
                assert kinds == {ItemKind.VERIFY: True, ItemKind.QUERY: False}, matter.id
    assert both


def test_an_unknown_id_is_refused_without_repeating_it() -> None:
    with pytest.raises(UnknownItem) as item:
        CATALOGUE.item("321099199001011237")
    with pytest.raises(UnknownMatter) as matter:
        CATALOGUE.matter("321099199001011237")
    for caught in (item, matter):
        assert isinstance(caught.value, PolicyError)
        assert "321099" not in repr(caught.value)


def mappings() -> Iterator[Any]:
    yield from (CATALOGUE.departments, CATALOGUE.items, CATALOGUE.matters, MATTER.needs)
    for item in CATALOGUE.items.values():
        yield from (item.fields, item.parameters, *(field.codes for field in item.fields.values()))


def test_nothing_in_it_can_be_changed() -> None:
    for mapping in mappings():
        with pytest.raises(TypeError):
            mapping["more"] = None
    with pytest.raises(FrozenInstanceError):
        CATALOGUE.version = "2027-01"  # type: ignore[misc]  # the attempt is the test
    with pytest.raises(FrozenInstanceError):
        MATTER.needs["deed_tax"].fields = ()  # type: ignore[misc]  # the attempt is the test


def test_two_loads_share_nothing_but_say_the_same() -> None:
    again = Catalogue.load()
    assert again == CATALOGUE
    assert again.items is not CATALOGUE.items


def test_the_digest_follows_every_byte_and_name(tmp_path: Path) -> None:
    folder = copytree(SHIPPED_CATALOGUE, tmp_path / "catalogue")
    assert Catalogue.load(folder).digest == CATALOGUE.digest
    assert re.fullmatch("[0-9a-f]{64}", CATALOGUE.digest)
    paths = sorted(folder.rglob("*.yaml"))
    assert files_digest(folder, paths) == CATALOGUE.digest
    for path in paths:
        original = path.read_bytes()
        path.write_bytes(original + b"\n")
        assert files_digest(folder, paths) != CATALOGUE.digest, path
        path.write_bytes(original)
    paths[0].write_bytes(paths[0].read_bytes() + b"\n")
    assert Catalogue.load(folder).digest != CATALOGUE.digest


def test_a_digest_cannot_be_made_to_look_like_another(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, files in ((one, {"a": "b,1:c"}), (two, {"a": "b", "c": ""})):
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    assert files_digest(one, one.iterdir()) != files_digest(two, two.iterdir())


def test_made_up_people_can_be_nobody() -> None:
    numbers = [
        field.example
        for item in CATALOGUE.items.values()
        for field in item.fields.values()
        if re.fullmatch("[0-9]{17}[0-9X]", field.example) and field.id.endswith(("id_number", "taxpayer_id", "tax_id"))
    ]
    assert len(numbers) > 10
    for number in numbers:
        assert read_id_number(number).startswith("321099")


def citizen_texts() -> Iterator[tuple[str, str]]:
    for matter in CATALOGUE.matters.values():
        yield matter.name_zh, matter.name_en
        yield matter.applicants_zh, matter.applicants_en
        for need in matter.needs.values():
            yield need.purpose_zh, need.purpose_en
            yield need.when_zh, need.when_en
        yield matter.otherwise_zh, matter.otherwise_en


@pytest.mark.parametrize("texts", list(citizen_texts()))
def test_people_are_spoken_to_plainly(texts: tuple[str, str]) -> None:
    """Short sentences, no official's words, no law numbers in the first layer."""
    chinese, english = texts
    for sentence in re.split("[。：；！？]", chinese):
        assert len(sentence) <= 25, sentence
    assert not re.search("兹|特此|之|第.+条|贵|本人", chinese)
    assert max(len(sentence.split()) for sentence in re.split("[.:;]", english)) <= 20


@pytest.mark.parametrize("need", [need for matter in CATALOGUE.matters.values() for need in matter.needs.values()])
def test_a_purpose_says_who_does_what(need: Any) -> None:
    assert need.purpose_zh.startswith("我们要")
    assert len(need.purpose_zh) <= 25
    assert need.purpose_en.startswith("We ")
