"""What must hold between the catalogue's rows; the first mistake is told with its file and line."""

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from policies.catalogue_files import (
    DepartmentsRow,
    FieldRow,
    ItemRow,
    MatterRow,
    NeedRow,
    ParameterRow,
    Source,
    Words,
)
from policies.errors import ValueRefusedError
from policies.identifiers import read_identifier
from policies.strict_yaml import Located
from policies.values import check_value
from policies.vocabulary import Field, FieldKind, LegalBasis, Scalar

_ID: Final = re.compile(r"[a-z][a-z0-9_]*")
_ID_LENGTHS: Final = range(1, 65)
_VERSION: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])(\.[1-9][0-9]*)?")
_CODE: Final = re.compile(r"[0-9A-Za-z]{1,10}")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_LATIN: Final = re.compile(r"[A-Za-z]")
_PARAMETER_KINDS: Final = frozenset({FieldKind.TEXT, FieldKind.CODE, FieldKind.DATE})
_SEPARATE: Final = frozenset({LegalBasis.SEPARATE_CONSENT, LegalBasis.WRITTEN_CONSENT})
"""PIPL article 29: sensitive personal information wants its own consent; the rule `sensitive_basis` says the same."""


def check_departments(source: Source[DepartmentsRow]) -> None:
    rows = source.row.departments
    _check_unique(source.at, (row.id for row in rows), "departments")
    for index, row in enumerate(rows):
        _check_id(source.at, row.id, "departments", index, "id")
        _check_words(source.at, row.name, "departments", index, "name")


def check_version(at: Located, version: str) -> None:
    """Versions read YYYY-MM, with `.1`, `.2` behind for a second one within a month."""
    if not _VERSION.fullmatch(version):
        raise at.error("a version reads like 2026-11 or 2026-11.1", "version")


def check_item(source: Source[ItemRow], departments: Collection[str]) -> None:
    item, at = source.row, source.at
    _check_file(at, item.id)
    _check_words(at, item.name, "name")
    if item.department not in departments:
        raise at.error("departments.yaml has no such department", "department")
    _check_unique(at, (row.id for row in item.fields), "fields")
    for index, row in enumerate(item.fields):
        _check_field(at, row, index)
    _check_unique(at, (row.id for row in item.parameters), "parameters")
    for index, parameter in enumerate(item.parameters):
        _check_parameter(at, parameter, index)
    if item.joint and len(set(item.joint)) != len(item.joint):
        raise at.error("a party stands twice", "joint")
    if len(item.joint) == 1:
        raise at.error("joint means two parties or more", "joint")


def check_matter(source: Source[MatterRow], items: Mapping[str, ItemRow]) -> None:
    matter, at = source.row, source.at
    _check_file(at, matter.id)
    check_version(at, matter.version)
    _check_words(at, matter.name, "name")
    _check_words(at, matter.otherwise, "otherwise")
    _check_unique(at, (need.item for need in matter.needs), "needs", member="item")
    for index, need in enumerate(matter.needs):
        item = items.get(need.item)
        if item is None:
            raise at.error("the catalogue has no such item", "needs", index, "item")
        _check_need(at, need, index, item)


def _check_need(at: Located, need: NeedRow, index: int, item: ItemRow) -> None:
    _check_words(at, need.purpose, "needs", index, "purpose")
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


def _check_field(at: Located, row: FieldRow, index: int) -> None:
    where = ("fields", index)
    _check_id(at, row.id, *where, "id")
    _check_words(at, row.name, *where, "name")
    if row.kind is FieldKind.CODE and not row.codes:
        raise at.error("a field of kind code needs its codes", *where, "kind")
    if row.kind is not FieldKind.CODE and row.codes:
        raise at.error("only a field of kind code has codes", *where, "codes")
    for code, meaning in row.codes.items():
        if not _CODE.fullmatch(code):
            raise at.error("a code is 1 to 10 letters or digits", *where, "codes", code)
        if not _CHINESE.search(meaning):
            raise at.error("a code's meaning is in Chinese", *where, "codes", code)
    try:
        check_value(field_of(row), _example(row))
    except ValueRefusedError as error:
        raise at.error(f"the example does not fit: {error}", *where, "example") from error


def _check_parameter(at: Located, row: ParameterRow, index: int) -> None:
    where = ("parameters", index)
    _check_id(at, row.id, *where, "id")
    _check_words(at, row.name, *where, "name")
    if row.kind not in _PARAMETER_KINDS:
        raise at.error("a parameter is of kind text, code or date", *where, "kind")
    if row.kind is FieldKind.CODE and not row.pattern:
        raise at.error("a parameter of kind code needs its pattern", *where, "kind")
    if row.kind is FieldKind.DATE and row.pattern:
        raise at.error("a date has its own form and takes no pattern", *where, "pattern")
    try:
        re.compile(row.pattern)
    except re.error as error:
        raise at.error(f"not a regular expression: {error}", *where, "pattern") from error


def field_of(row: FieldRow) -> Field:
    """Freeze a row into the vocabulary's field."""
    return Field(
        id=row.id,
        name_zh=row.name.zh,
        name_en=row.name.en,
        kind=row.kind,
        sensitive=row.sensitive,
        example=row.example,
        max_length=row.max_length,
        codes=MappingProxyType(dict(row.codes)),
    )


def _example(row: FieldRow) -> Scalar:
    if row.kind in {FieldKind.INTEGER, FieldKind.MONEY}:
        return int(row.example) if re.fullmatch(r"-?[0-9]{1,16}", row.example) else row.example
    if row.kind is FieldKind.FLAG:
        return {"true": True, "false": False}.get(row.example, row.example)
    return row.example


def _check_file(at: Located, identifier: str) -> None:
    _check_id(at, identifier, "id")
    if at.path.stem != identifier:
        raise at.error(f"the file is named {at.path.name}, so the id must be {at.path.stem}", "id")


def _check_id(at: Located, identifier: str, *where: str | int) -> None:
    if not _ID.fullmatch(identifier):
        raise at.error("an id is small letters, digits and _, a letter first", *where)
    try:
        read_identifier(identifier, _ID_LENGTHS)
    except ValueError as error:
        raise at.error(f"not an id: {error}", *where) from error


def _check_words(at: Located, words: Words, *where: str | int) -> None:
    if not _CHINESE.search(words.zh):
        raise at.error("the Chinese words are missing", *where, "zh")
    if not _LATIN.search(words.en) or _CHINESE.search(words.en):
        raise at.error("the English words are missing", *where, "en")


def _check_unique(at: Located, ids: Iterable[str], where: str, member: str = "id") -> None:
    seen: set[str] = set()
    for index, identifier in enumerate(ids):
        if identifier in seen:
            raise at.error(f"{identifier} stands twice", where, index, member)
        seen.add(identifier)
