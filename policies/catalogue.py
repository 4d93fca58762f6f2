"""Departments, items, matters and bundles: what the notice shows and what the gate enforces, from the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from policies.bundle_checks import check_bundle
from policies.catalogue_files import (
    BundleRow,
    CatalogueFiles,
    DepartmentRow,
    ItemRow,
    MaterialRow,
    MatterRow,
    NeedRow,
    ParameterRow,
    read_catalogue_files,
)
from policies.digest import files_digest
from policies.errors import UnknownItem, UnknownMatter
from policies.item_checks import check_departments, check_item, field_of
from policies.matter_checks import check_matter
from policies.row_checks import check_version
from policies.vocabulary import Bundle, BundlePart, Department, Item, Material, Matter, Need, Parameter

SHIPPED_CATALOGUE: Final = Path(__file__).with_name("catalogue")
"""The catalogue that comes with the program."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A catalogue that adds up; nothing in it can be changed after loading."""

    version: str
    digest: str
    """Hex SHA-256 over the files' names and bytes, see `files_digest`."""
    departments: Mapping[str, Department]
    items: Mapping[str, Item]
    matters: Mapping[str, Matter]
    bundles: Mapping[str, Bundle]

    @classmethod
    def load(cls, folder: Path = SHIPPED_CATALOGUE) -> "Catalogue":
        """Read and cross-check `folder`. Raises ConfigurationError, `file:line:` first, for anything that is off."""
        files = read_catalogue_files(folder)
        _check(files)
        return cls(
            version=files.head.row.version,
            digest=files_digest(folder, files.paths),
            departments=MappingProxyType({row.id: _department(row) for row in files.departments.row.departments}),
            items=MappingProxyType({source.row.id: _item(source.row) for source in files.items}),
            matters=MappingProxyType({source.row.id: _matter(source.row) for source in files.matters}),
            bundles=MappingProxyType({source.row.id: _bundle(source.row) for source in files.bundles}),
        )

    def item(self, item_id: str) -> Item:
        """Look up by id; raises UnknownItem."""
        if item_id not in self.items:
            raise UnknownItem
        return self.items[item_id]

    def matter(self, matter_id: str) -> Matter:
        """Look up by id; raises UnknownMatter."""
        if matter_id not in self.matters:
            raise UnknownMatter
        return self.matters[matter_id]


def _check(files: CatalogueFiles) -> None:
    check_version(files.head.at, files.head.row.version)
    check_departments(files.departments)
    departments = {row.id for row in files.departments.row.departments}
    items: dict[str, ItemRow] = {}
    for item in files.items:
        if item.row.id in items:
            raise item.at.error(f"another file has the id {item.row.id} already", "id")
        check_item(item, departments)
        items[item.row.id] = item.row
    for matter in files.matters:
        check_matter(matter, items, departments)
    matters = {matter.row.id: matter.row for matter in files.matters}
    for bundle in files.bundles:
        check_bundle(bundle, matters, items)


def _department(row: DepartmentRow) -> Department:
    return Department(row.id, row.name.zh, row.name.en, row.level)


def _item(row: ItemRow) -> Item:
    return Item(
        id=row.id,
        name_zh=row.name.zh,
        name_en=row.name.en,
        department=row.department,
        kind=row.kind,
        fields=MappingProxyType({field.id: field_of(field) for field in row.fields}),
        parameters=MappingProxyType({parameter.id: _parameter(parameter) for parameter in row.parameters}),
        joint=row.joint,
        parties=row.parties,
        about=row.about,
        question=row.question,
        sharing=row.sharing,
        updated=row.updated,
    )


def _parameter(row: ParameterRow) -> Parameter:
    return Parameter(row.id, row.name.zh, row.name.en, row.kind, row.pattern)


def _matter(row: MatterRow) -> Matter:
    return Matter(
        id=row.id,
        version=row.version,
        name_zh=row.name.zh,
        name_en=row.name.en,
        uses=row.uses,
        valid_days=row.valid_days,
        otherwise_zh=row.otherwise.zh,
        otherwise_en=row.otherwise.en,
        needs=MappingProxyType({need.item: _need(need) for need in row.needs}),
        batch=row.batch,
        family=row.family,
        applicants_zh=row.applicants.zh,
        applicants_en=row.applicants.en,
        modes=row.modes,
        statutory_days=row.days.statutory,
        promised_days=row.days.promised,
        materials=tuple(_material(material) for material in row.materials),
        recipient=row.recipient,
    )


def _bundle(row: BundleRow) -> Bundle:
    return Bundle(
        id=row.id,
        version=row.version,
        name_zh=row.name.zh,
        name_en=row.name.en,
        applicants_zh=row.applicants.zh,
        applicants_en=row.applicants.en,
        about=row.about,
        parts=tuple(BundlePart(part.matter, part.party) for part in row.parts),
    )


def _need(row: NeedRow) -> Need:
    return Need(
        item=row.item,
        fields=row.fields,
        required=row.required,
        purpose_zh=row.purpose.zh,
        purpose_en=row.purpose.en,
        legal_basis=row.legal_basis,
        keep_days=row.keep_days,
        default=row.default,
        when_zh=row.when.zh if row.when else "",
        when_en=row.when.en if row.when else "",
    )


def _material(row: MaterialRow) -> Material:
    return Material(row.name.zh, row.name.en, row.state, row.item)
