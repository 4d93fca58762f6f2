"""Whether a value fits what the catalogue declares: query keys and claims on the way in, fields on the way out.

Each check returns the typed value or raises ValueRefusedError, which names the member and never holds the value.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from policies.errors import ValueRefusedError
from policies.vocabulary import Field, FieldKind, Item, ItemKind, Parameter, Scalar

MAX_PARAMETER_LENGTH: Final = 100
MAX_INTEGER: Final = 2**53 - 1
"""RFC 8785 section 3.2.2.3: beyond this an integer has no exact canonical JSON form, and so no digest."""

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?")
_TELLABLE_NAME: Final = re.compile(r"(?!.*[0-9]{6})[a-z][a-z0-9_]{0,63}")
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional controls make a text read otherwise than it is."""

_Fits: TypeAlias = Callable[[Field, str | int], bool]


def check_value(field: Field, value: object) -> Scalar:
    """`value` as the field's kind releases it; None means that the department holds nothing there."""
    if value is None:
        return None
    fits, form = _FORMS[field.kind]
    if not isinstance(value, (str, int)) or not fits(field, value):
        raise ValueRefusedError(field.id, form)
    return value


def check_params(item: Item, params: Mapping[str, object]) -> Mapping[str, str]:
    """Check the query keys of one request for `item`: each known and in its form; every one may be left out."""
    checked: dict[str, str] = {}
    for name, value in params.items():
        parameter = item.parameters.get(name)
        if parameter is None:
            raise ValueRefusedError(_tellable("params", name), "the item has no such parameter")
        if not isinstance(value, str) or not _parameter_fits(parameter, value):
            raise ValueRefusedError(f"params.{name}", "does not have the parameter's form")
        checked[name] = value
    return checked


def check_expect(item: Item, fields: tuple[str, ...], expect: Mapping[str, object]) -> Mapping[str, Scalar]:
    """Check the claims for an item of kind `verify`: each about one of the asked `fields`, typed by its kind."""
    if expect and item.kind is not ItemKind.VERIFY:
        raise ValueRefusedError("expect", "only an item of kind verify takes claimed values")
    checked: dict[str, Scalar] = {}
    for name, value in expect.items():
        if name not in fields or name not in item.fields:
            raise ValueRefusedError(_tellable("expect", name), "is not among the asked fields")
        if value is None:
            raise ValueRefusedError(f"expect.{name}", "a claim needs a value")
        try:
            checked[name] = check_value(item.fields[name], value)
        except ValueRefusedError as error:
            raise ValueRefusedError(f"expect.{name}", str(error).partition(": ")[2]) from None
    return checked


def is_calendar_date(text: str) -> bool:
    """Whether `text` is a day that exists, YYYY-MM-DD in ASCII digits."""
    try:
        return _DATE.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _parameter_fits(parameter: Parameter, value: str) -> bool:
    if not 0 < len(value) <= MAX_PARAMETER_LENGTH or not _is_plain(value):
        return False
    if parameter.kind is FieldKind.DATE:
        return is_calendar_date(value)
    return not parameter.pattern or re.fullmatch(parameter.pattern, value) is not None


def _tellable(where: str, name: str) -> str:
    # A stranger chose this name; one that could hold somebody's number or name is not repeated.
    return f"{where}.{name}" if _TELLABLE_NAME.fullmatch(name) else where


def _is_plain(text: str) -> bool:
    if text.isprintable():  # says no to all of these, and to some that are permitted
        return True
    return not any(sign in _TURNING or unicodedata.category(sign) in {"Cc", "Cs"} for sign in text)


def _is_text(field: Field, value: str | int) -> bool:
    return isinstance(value, str) and len(value) <= field.max_length and _is_plain(value)


def _is_code(field: Field, value: str | int) -> bool:
    return isinstance(value, str) and value in field.codes


def _is_integer(_field: Field, value: str | int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INTEGER


def _is_decimal(_field: Field, value: str | int) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def _is_date(_field: Field, value: str | int) -> bool:
    return isinstance(value, str) and is_calendar_date(value)


def _is_datetime(_field: Field, value: str | int) -> bool:
    try:
        return isinstance(value, str) and _DATETIME.fullmatch(value) is not None and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _is_flag(_field: Field, value: str | int) -> bool:
    return isinstance(value, bool)


_FORMS: Final[Mapping[FieldKind, tuple[_Fits, str]]] = MappingProxyType(
    {
        FieldKind.TEXT: (_is_text, "is not plain text within its length"),
        FieldKind.CODE: (_is_code, "is not in the code table"),
        FieldKind.INTEGER: (_is_integer, "is not an integer"),
        FieldKind.MONEY: (_is_integer, "is not an integer amount of fen"),
        FieldKind.DECIMAL: (_is_decimal, "is not a decimal number as text"),
        FieldKind.DATE: (_is_date, "is not a calendar date YYYY-MM-DD"),
        FieldKind.DATETIME: (_is_datetime, "is not a UTC time as RFC 3339 writes it"),
        FieldKind.FLAG: (_is_flag, "is not true or false"),
    }
)
