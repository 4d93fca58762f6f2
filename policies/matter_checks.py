"""What must hold between a matter, the items it needs and the papers it no longer asks for; with file and line."""

from collections.abc import Collection, Mapping
from typing import Final

from policies.catalogue_files import ItemRow, MaterialRow, MatterRow, NeedRow, Source
from policies.row_checks import check_file, check_unique, check_version, check_words
from policies.strict_yaml import Located
from policies.vocabulary import ItemKind, LegalBasis, MaterialState, MatterFamily

_SEPARATE: Final = frozenset({LegalBasis.SEPARATE_CONSENT, LegalBasis.WRITTEN_CONSENT})
"""PIPL article 29: sensitive personal information wants its own consent; the rule `sensitive_basis` says the same."""


def check_matter(source: Source[MatterRow], items: Mapping[str, ItemRow], departments: Collection[str]) -> None:
    matter, at = source.row, source.at
    check_file(at, matter.id)
    check_version(at, matter.version)
    for member, words in (("name", matter.name), ("applicants", matter.applicants), ("otherwise", matter.otherwise)):
        check_words(at, words, member)
    check_unique(at, matter.modes, "modes")
    if matter.recipient and matter.recipient not in departments:
        raise at.error("departments.yaml has no such department", "recipient")
    if bool(matter.recipient) != (matter.family is MatterFamily.BUNDLED):
        raise at.error("another department's business, and no other, is of the family bundled", "family")
    if matter.days.statutory is not None and matter.days.promised > matter.days.statutory:
        raise at.error("what is promised takes longer than the law allows", "days", "promised")
    check_unique(at, (need.item for need in matter.needs), "needs", "item")
    for index, need in enumerate(matter.needs):
        item = items.get(need.item)
        if item is None:
            raise at.error("the catalogue has no such item", "needs", index, "item")
        _check_need(at, need, index, item)
        _check_law(at, matter, index, item)
    _check_defaults(at, matter, items)
    _check_materials(at, matter)


def _check_need(at: Located, need: NeedRow, index: int, item: ItemRow) -> None:
    check_words(at, need.purpose, "needs", index, "purpose")
    if need.when is not None:
        check_words(at, need.when, "needs", index, "when")
    fields = {row.id: row for row in item.fields}
    for place, name in enumerate(need.fields):
        if name not in fields:
            raise at.error("the item has no such field", "needs", index, "fields", place)
        if name in need.fields[:place]:
            raise at.error("stands twice", "needs", index, "fields", place)
        if fields[name].sensitive and need.legal_basis not in _SEPARATE:
            raise at.error(
                f"the sensitive field {name} wants separate_consent or written_consent", "needs", index, "legal_basis"
            )


def _check_law(at: Located, matter: MatterRow, index: int, item: ItemRow) -> None:
    """What the law leaves open for this item: one basis only, some sorts of matter only."""
    if item.only_basis is not None and matter.needs[index].legal_basis is not item.only_basis:
        raise at.error(f"{item.id} is asked on {item.only_basis} only", "needs", index, "legal_basis")
    if item.only_families and matter.family not in item.only_families:
        raise at.error(f"{item.id} is for matters of {', '.join(item.only_families)} only", "needs", index, "item")


def _check_defaults(at: Located, matter: MatterRow, items: Mapping[str, ItemRow]) -> None:
    """Yes or no before data: what a check can answer is not asked as data unless a request names it."""
    asked = [need for need in matter.needs if need.default]
    if not asked:
        raise at.error("at least one need is asked without being named", "needs")
    checks = {
        items[need.item].question: need
        for need in matter.needs
        if items[need.item].kind is ItemKind.VERIFY and items[need.item].question
    }
    for index, need in enumerate(matter.needs):
        item = items[need.item]
        check = checks.get(item.question)
        if check is None or item.kind is ItemKind.VERIFY:
            continue
        if need.default:
            raise at.error(f"{check.item} answers the same with yes or no: this one is default: false", "needs", index)
        if not check.default:
            raise at.error(f"{check.item} is the check of {item.question} and is asked by default", "needs", index)


def _check_materials(at: Located, matter: MatterRow) -> None:
    check_unique(at, (row.name.zh for row in matter.materials), "materials", "name", "zh")
    needed = {need.item for need in matter.needs}
    for index, row in enumerate(matter.materials):
        check_words(at, row.name, "materials", index, "name")
        _check_material(at, row, index, needed)


def _check_material(at: Located, row: MaterialRow, index: int, needed: set[str]) -> None:
    if (row.state is MaterialState.REPLACED) != bool(row.item):
        raise at.error("a replaced material, and no other, names the item that replaces it", "materials", index)
    if row.item and row.item not in needed:
        raise at.error("the matter needs no such item", "materials", index, "item")
