"""One value from a department's spelling into the catalogue's form, exactly, or the answer is garbled."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from connectors.identity import canonical
from connectors.trouble import garbled
from connectors.written import narrow
from policies.errors import ValueRefusedError
from policies.values import check_value
from policies.vocabulary import Field, FieldKind, Scalar

Spelling: TypeAlias = Literal[
    "text",  # as it stands
    "strip",  # spaces at the ends and runs of them
    "narrow",  # as strip, and full-width punctuation, letters and digits in ASCII
    "id_number",
    "month",
    "yuan",
    "wan_yuan",
    "fen",
    "integer",
    "decimal",
    "date",
    "datetime",
    "code",
    "flag",
]

FITTING: Final[Mapping[FieldKind, frozenset[str]]] = {
    FieldKind.TEXT: frozenset({"text", "strip", "narrow", "id_number", "month"}),
    FieldKind.CODE: frozenset({"code"}),
    FieldKind.INTEGER: frozenset({"integer"}),
    FieldKind.MONEY: frozenset({"yuan", "wan_yuan", "fen"}),
    FieldKind.DECIMAL: frozenset({"decimal"}),
    FieldKind.DATE: frozenset({"date"}),
    FieldKind.DATETIME: frozenset({"datetime"}),
    FieldKind.FLAG: frozenset({"flag"}),
}
"""Which spellings can become which kind of field; a route that pairs others is refused at start."""

_CHINA: Final = timezone(timedelta(hours=8))
"""Departments write China standard time unless they give an offset."""
_MONEY: Final = re.compile(r"(-?)([0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.([0-9]{1,2})0{0,8})?")
_WAN: Final = re.compile(r"(-?)([0-9]{1,11})(?:\.([0-9]{1,6})0{0,4})?")
_NO_VALUE: Final = frozenset({"", "null", "NULL"})
_WHOLE: Final = re.compile(r"-?[0-9]{1,16}")
_DECIMAL: Final = re.compile(r"(-?)0*([0-9]{0,18})(\.[0-9]{1,10})?")
_DATE: Final = re.compile(
    r"([0-9]{4})(?:([0-9]{2})([0-9]{2})|([-/.])([0-9]{1,2})\4([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)"
    r"(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?|[0-9]{6})?"
)
_TIME: Final = re.compile(
    r"([0-9]{4})[-/]?([0-9]{2})[-/]?([0-9]{2})[ T]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_MILLISECONDS: Final = re.compile(r"1[0-9]{12}")
_LONGEST: Final = 10_000
"""Characters of any value before it is looked at: nobody else waits while we read a hundred megabytes."""
_LARGEST_EXPONENT: Final = 40
"""`1e999999999` is a number of ten characters and a text of a gigabyte."""
_MONTH: Final = re.compile(r"([0-9]{4})(?:[-/.]?(0[1-9]|1[0-2])|年(0?[1-9]|1[0-2])月)")


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field stands in the department's record and how it is spelled there."""

    source: str = msgspec.field(name="from")
    spelling: Spelling = msgspec.field(name="as")
    codes: dict[str, str] = {}
    """The department's code -> the catalogue's; empty where they are the same."""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    optional: bool = False
    """Whether the department may leave the member out altogether; an empty value is always no value."""


def translate(column: Column, field: Field, written: object) -> Scalar:
    """Return the value in the catalogue's form; None where the department has no value. Raises DepartmentError."""
    text = written if isinstance(written, str) else as_text(written)
    if text is not None and len(text) > _LONGEST:
        raise garbled("value_too_long")
    if text is None or text.strip() in _NO_VALUE:
        return None
    value = _READERS[column.spelling](text, column)
    try:
        return check_value(field, value)
    except ValueRefusedError:
        raise garbled("value_does_not_fit") from None


def as_text(written: object) -> str | None:
    """Return a scalar as the department wrote it. A binary float has already lost its digits and is refused."""
    if written is None or isinstance(written, str):
        return written
    if isinstance(written, bool):
        return "true" if written else "false"
    if isinstance(written, int):
        return str(written)
    if isinstance(written, Decimal) and written.is_finite() and abs(written.adjusted()) <= _LARGEST_EXPONENT:
        return format(written, "f")
    if isinstance(written, (date, datetime)):
        return written.isoformat()
    raise garbled("not_a_plain_value")


def fen(text: str) -> int:
    """Yuan with at most two decimals, as exact integer fen."""
    found = _MONEY.fullmatch(narrow(text).strip())
    if found is None:
        raise garbled("money")
    sign, yuan, decimals = found.groups(default="")
    amount = int(yuan.replace(",", "")) * 100 + int(decimals.ljust(2, "0"))
    return -amount if sign else amount


def wan_fen(text: str) -> int:
    """Ten thousand yuan (万元) with at most six decimals, as exact integer fen."""
    found = _WAN.fullmatch(narrow(text).strip())
    if found is None:
        raise garbled("money")
    sign, whole, decimals = found.groups(default="")
    amount = int(whole) * 1_000_000 + int(decimals.ljust(6, "0"))
    return -amount if sign else amount


def day(text: str) -> str:
    """Return a year-first date in any of the written forms, as YYYY-MM-DD; a local time after it is cut off.

    Thirteen digits are milliseconds since 1970 and mean the day it then was in China.
    """
    text = narrow(text).strip()
    found = _DATE.fullmatch(text)
    if found is None:
        if _MILLISECONDS.fullmatch(text):
            return moment(text).astimezone(_CHINA).date().isoformat()
        raise garbled("date")
    try:
        month, number = found[2] or found[5] or found[7], found[3] or found[6] or found[8]
        return date(int(found[1]), int(month), int(number)).isoformat()
    except ValueError:
        raise garbled("date") from None


def moment(text: str) -> datetime:
    """Return a written time as aware UTC, cut to the second; 13 digits are milliseconds since 1970."""
    text = narrow(text).strip()
    try:
        found = _TIME.fullmatch(text)
        if found is not None:
            year, month, number, hour, minute, second = map(int, found.groups()[:6])
            return datetime(year, month, number, hour, minute, second, tzinfo=_zone(found[7])).astimezone(UTC)
        if _MILLISECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text) // 1000, UTC)
        return datetime.fromisoformat(day(text)).replace(tzinfo=_CHINA).astimezone(UTC)
    except (ValueError, OverflowError):
        raise garbled("datetime") from None


def _zone(offset: str | None) -> timezone:
    if offset is None:
        return _CHINA
    if offset == "Z":
        return UTC
    distance = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-distance if offset[0] == "-" else distance)


def _stripped(text: str, _column: Column) -> str:
    return " ".join(text.split())


def _month(text: str, _column: Column) -> str:
    found = _MONTH.fullmatch(narrow(text).strip())
    if found is None:
        raise garbled("month")
    return f"{found[1]}-{(found[2] or found[3]).zfill(2)}"


def _integer(text: str, _column: Column) -> int:
    if not _WHOLE.fullmatch(narrow(text).strip()):
        raise garbled("integer")
    return int(narrow(text))


def _decimal(text: str, _column: Column) -> str:
    found = _DECIMAL.fullmatch(narrow(text).strip())
    if found is None or found[0] in {"", "-"}:
        raise garbled("decimal")
    return f"{found[1]}{found[2] or '0'}{found[3] or ''}"


def _code(text: str, column: Column) -> str:
    code = narrow(text).strip()
    if not column.codes:
        return code
    if code not in column.codes:
        raise garbled("unknown_code")
    return column.codes[code]


def _flag(text: str, column: Column) -> bool:
    word = narrow(text).strip()
    if word in column.yes:
        return True
    if word in column.no:
        return False
    raise garbled("flag")


_READERS: Final[Mapping[Spelling, Callable[[str, Column], Scalar]]] = {
    "text": lambda text, _column: text,
    "strip": _stripped,
    "narrow": lambda text, column: _stripped(narrow(text), column),
    "id_number": lambda text, _column: canonical(text),
    "month": _month,
    "yuan": lambda text, _column: fen(text),
    "wan_yuan": lambda text, _column: wan_fen(text),
    "fen": _integer,
    "integer": _integer,
    "decimal": _decimal,
    "date": lambda text, _column: day(text),
    "datetime": lambda text, _column: moment(text).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "code": _code,
    "flag": _flag,
}
