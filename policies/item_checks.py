"""What must hold for departments, items, their fields and parameters; the first mistake has its file and line."""

import re
from collections.abc import Collection
from types import MappingProxyType
from typing import Final

from policies.catalogue_files import DepartmentsRow, FieldRow, ItemRow, ParameterRow, Source
from policies.errors import ValueRefusedError
from policies.identifiers import made_up, numbers_in
from policies.row_checks import check_file, check_id, check_meaning, check_unique, check_words
from policies.strict_yaml import Located
from policies.values import check_value
from policies.vocabulary import Field, FieldKind, Scalar

_CODE: Final = re.compile(r"[0-9A-Za-z]{1,10}")
_PARAMETER_KINDS: Final = frozenset({FieldKind.TEXT, FieldKind.CODE, FieldKind.DATE})
_LIKENESS: Final = re.compile(r"(^|_)(face|faces|portrait|photo|photos|picture|fingerprint|iris|voiceprint)(_|$)")
_LIKENESS_ZH: Final = re.compile("人脸|面部|人像|头像|肖像|照片|指纹|虹膜|声纹")
"""Rules on face recognition, PIPL article 28: a likeness is never shared here, whatever anybody consents to."""


def check_departments(source: Source[DepartmentsRow]) -> None:
    rows = source.row.departments
    check_unique(source.at, (row.id for row in rows), "departments", "id")
    for index, row in enumerate(rows):
        check_id(source.at, row.id, "departments", index, "id")
        check_words(source.at, row.name, "departments", index, "name")


def check_item(source: Source[ItemRow], departments: Collection[str]) -> None:
    item, at = source.row, source.at
    check_file(at, item.id)
    check_words(at, item.name, "name")
    if item.department not in departments:
        raise at.error("departments.yaml has no such department", "department")
    if item.question:
        check_id(at, item.question, "question")
    check_unique(at, (row.id for row in item.fields), "fields", "id")
    for index, row in enumerate(item.fields):
        _check_field(at, row, index)
    check_unique(at, (row.id for row in item.parameters), "parameters", "id")
    for index, parameter in enumerate(item.parameters):
        _check_parameter(at, parameter, index)
    _check_parties(at, item)


def _check_parties(at: Located, item: ItemRow) -> None:
    for member, parties in (("joint", item.joint), ("parties", item.parties)):
        if len(set(parties)) != len(parties):
            raise at.error("a party stands twice", member)
    if len(item.joint) not in (0, 2):
        raise at.error("joint means two parties", "joint")
    if item.parties and not set(item.joint) <= set(item.parties):
        raise at.error("a party that must grant it jointly is not among its parties", "joint")


def _check_field(at: Located, row: FieldRow, index: int) -> None:
    where = ("fields", index)
    check_id(at, row.id, *where, "id")
    check_words(at, row.name, *where, "name")
    if _LIKENESS.search(row.id) or _LIKENESS_ZH.search(row.name.zh):
        raise at.error("a likeness of a person (face, photograph, fingerprint) is never shared", *where, "id")
    if row.kind is FieldKind.CODE and not row.codes:
        raise at.error("a field of kind code needs its codes", *where, "kind")
    if row.kind is not FieldKind.CODE and row.codes:
        raise at.error("only a field of kind code has codes", *where, "codes")
    for code, meaning in row.codes.items():
        if not _CODE.fullmatch(code):
            raise at.error("a code is 1 to 10 letters or digits", *where, "codes", code)
        check_meaning(at, meaning, *where, "codes", code)
    _check_example(at, row, index)


def _check_example(at: Located, row: FieldRow, index: int) -> None:
    try:
        check_value(field_of(row), _example(row))
    except ValueRefusedError as error:
        raise at.error(f"the example does not fit: {error}", "fields", index, "example") from error
    if not all(made_up(number) for number in numbers_in(row.example)):
        raise at.error(
            "the example is an id-card number that could be somebody's; 321099 can be nobody's",
            "fields",
            index,
            "example",
        )


def _check_parameter(at: Located, row: ParameterRow, index: int) -> None:
    where = ("parameters", index)
    check_id(at, row.id, *where, "id")
    check_words(at, row.name, *where, "name")
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
