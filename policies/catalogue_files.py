"""The shapes of the catalogue's files, read strictly, each with where its lines stand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from policies.strict_yaml import ConfigurationError, Located, read_yaml
from policies.vocabulary import (
    FieldKind,
    HandlingMode,
    ItemKind,
    LegalBasis,
    MaterialState,
    MatterFamily,
    Party,
    SubjectKind,
)

T = TypeVar("T")
R = TypeVar("R")

OneOrMore = Annotated[tuple[T, ...], msgspec.Meta(min_length=1)]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping in a file whose members are all known."""


class Words(Row, frozen=True):
    zh: str
    en: str


class DepartmentRow(Row, frozen=True):
    id: str
    name: Words
    level: Annotated[str, msgspec.Meta(min_length=1)]


class FieldRow(Row, frozen=True):
    id: str
    name: Words
    kind: FieldKind
    sensitive: bool
    example: str
    max_length: Annotated[int, msgspec.Meta(ge=1, le=4000)] = 200
    codes: dict[str, str] = {}


class ParameterRow(Row, frozen=True):
    id: str
    name: Words
    kind: FieldKind
    pattern: str = ""


class ItemRow(Row, frozen=True):
    id: str
    name: Words
    department: str
    kind: ItemKind
    sharing: Literal["unconditional", "conditional"]
    updated: Literal["realtime", "daily", "weekly", "monthly"]
    fields: OneOrMore[FieldRow]
    parameters: tuple[ParameterRow, ...] = ()
    joint: tuple[Party, ...] = ()
    parties: tuple[Party, ...] = ()
    about: SubjectKind = SubjectKind.PERSON
    question: str = ""
    only_basis: LegalBasis | None = None
    """The one basis on which a matter may need it, where the law leaves no other."""
    only_families: tuple[MatterFamily, ...] = ()
    """The only sorts of matter that may need it; empty means any."""


class NeedRow(Row, frozen=True):
    item: str
    fields: OneOrMore[str]
    required: bool
    purpose: Words
    legal_basis: LegalBasis
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=180)]
    """Retention of raw answers: PIPL articles 19 and 47; 180 days is the house's ceiling."""
    default: bool = True
    when: Words | None = None


class MaterialRow(Row, frozen=True):
    name: Words
    state: MaterialState
    item: str = ""


class LimitsRow(Row, frozen=True):
    """Days; working days are the centre's to promise, 0 is at once."""

    promised: Annotated[int, msgspec.Meta(ge=0, le=366)]
    statutory: Annotated[int, msgspec.Meta(ge=1, le=366)] | None = None


class MatterRow(Row, frozen=True):
    id: str
    version: str
    name: Words
    uses: Annotated[int, msgspec.Meta(ge=1, le=100)]
    valid_days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    batch: Literal["cross_province_2020", "cross_province_2021", "cross_province_2022", "national", "local"]
    family: MatterFamily
    applicants: Words
    modes: OneOrMore[HandlingMode]
    days: LimitsRow
    otherwise: Words
    needs: OneOrMore[NeedRow]
    materials: OneOrMore[MaterialRow]
    """Every paper the matter used to ask for. What they add up to is computed, see policies/materials.py."""
    recipient: str = ""


class BundlePartRow(Row, frozen=True):
    matter: str
    party: Party = Party.APPLICANT


class BundleRow(Row, frozen=True):
    id: str
    version: str
    name: Words
    applicants: Words
    about: SubjectKind
    parts: OneOrMore[BundlePartRow]


class CatalogueRow(Row, frozen=True):
    version: str


class DepartmentsRow(Row, frozen=True):
    departments: OneOrMore[DepartmentRow]


@dataclass(frozen=True, slots=True)
class Source(Generic[R]):
    """What one file says, and where."""

    row: R
    at: Located


@dataclass(frozen=True, slots=True)
class CatalogueFiles:
    """The whole folder, each file in its shape but nothing compared across files yet."""

    paths: tuple[Path, ...]
    head: Source[CatalogueRow]
    departments: Source[DepartmentsRow]
    items: tuple[Source[ItemRow], ...]
    matters: tuple[Source[MatterRow], ...]
    bundles: tuple[Source[BundleRow], ...]


def read_catalogue_files(folder: Path) -> CatalogueFiles:
    """Read `catalogue.yaml`, `departments.yaml`, `items/`, `matters/` and `bundles/`; a stray file is refused.

    A file that is silently left out would be a rule somebody believes in.
    """
    head, departments = folder / "catalogue.yaml", folder / "departments.yaml"
    items, matters, bundles = (sorted((folder / kind).glob("*.yaml")) for kind in ("items", "matters", "bundles"))
    known = (head, departments, *items, *matters, *bundles)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in known:
            raise ConfigurationError(f"{path}:1: the catalogue has no place for this file")
    return CatalogueFiles(
        paths=known,
        head=_source(head, CatalogueRow),
        departments=_source(departments, DepartmentsRow),
        items=tuple(_source(path, ItemRow) for path in items),
        matters=tuple(_source(path, MatterRow) for path in matters),
        bundles=tuple(_source(path, BundleRow) for path in bundles),
    )


def _source(path: Path, kind: type[R]) -> Source[R]:
    return Source(*read_yaml(path, kind))
