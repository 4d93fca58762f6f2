"""Spellings: exact for every value that fits, garbled for every other."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.trouble import DepartmentError
from connectors.values import Column, Spelling, as_text, day, fen, moment, translate
from policies.vocabulary import Field, FieldKind, Scalar

FEN = st.integers(min_value=-(10**15), max_value=10**15)


@given(FEN)
def test_money_is_exact(amount: int) -> None:
    assert fen(format(Decimal(amount) / 100, ".2f")) == amount
    assert fen(format(Decimal(amount) / 100, ",.2f")) == amount
    assert fen(f" {Decimal(amount) / 100:.2f}0000 ") == amount


@given(st.text(alphabet="0123456789.,-+eE ¥元٣", max_size=20))
def test_money_is_exact_or_refused(written: str) -> None:
    try:
        amount = fen(written)
    except DepartmentError:
        return
    assert Decimal(written.strip().replace(",", "")) * 100 == amount


@pytest.mark.parametrize(
    "written", ["12.345", "1,23.00", "1e5", "NaN", "Infinity", "", "٣.00", "--1", "1.", ".", "1 000"]
)
def test_money_refuses(written: str) -> None:
    with pytest.raises(DepartmentError):
        fen(written)


@given(st.dates())
def test_every_written_form_of_a_date(when: date) -> None:
    forms = [
        f"{when.year:04d}{when.month:02d}{when.day:02d}",
        when.isoformat(),
        f"{when.year:04d}/{when.month}/{when.day}",
        f"{when.year:04d}.{when.month:02d}.{when.day:02d}",
        f"{when.year:04d}年{when.month}月{when.day}日",
        f"{when.isoformat()} 00:00:00",
        f" {when.isoformat()}T23:59:59.999 ",
    ]
    assert {day(form) for form in forms} == {when.isoformat()}


@given(st.text(alphabet="0123456789-/.年月日 T:", max_size=20))
def test_a_date_is_a_day_that_exists_or_refused(written: str) -> None:
    try:
        read = day(written)
    except DepartmentError:
        return
    assert date.fromisoformat(read).isoformat() == read
    if re.fullmatch("1[0-9]{12}", written.strip()):  # milliseconds since 1970
        return
    assert "".join(filter(str.isdigit, read))[:4] == written.strip()[:4]


@pytest.mark.parametrize(
    "written", ["20260230", "2026-13-01", "01/02/2026", "2026-1/2", "26-01-01", "202610", "0000-00-00"]
)
def test_dates_refused(written: str) -> None:
    with pytest.raises(DepartmentError):
        day(written)


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-20 12:34:56",
        "20261020123456",
        "2026/10/20 12:34:56.789",
        "2026-10-20T12:34:56+08:00",
        "2026-10-20T04:34:56Z",
        "2026-10-19T22:34:56-0600",
        "1792470896000",
    ],
)
def test_a_time_is_china_time_unless_it_says_otherwise(written: str) -> None:
    assert moment(written) == datetime(2026, 10, 20, 4, 34, 56, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_survive(when: datetime) -> None:
    assert moment(when.isoformat()) == when.replace(microsecond=0)


@pytest.mark.parametrize(
    "written", ["2026-10-20 25:00:00", "2026-02-30 01:00:00", "9999-12-31 23:59:59-14:00", "now", "12:00:00"]
)
def test_times_refused(written: str) -> None:
    with pytest.raises(DepartmentError):
        moment(written)


def field(kind: FieldKind, codes: tuple[str, ...] = (), max_length: int = 20) -> Field:
    return Field(
        "f", "某", "some", kind, sensitive=False, example="", max_length=max_length, codes=dict.fromkeys(codes, "")
    )


@pytest.mark.parametrize(
    ("spelling", "kind", "written", "value"),
    [
        ("text", FieldKind.TEXT, " 徐 ", " 徐 "),
        ("strip", FieldKind.TEXT, "\u3000徐\r\n 某 ", "徐 某"),
        ("id_number", FieldKind.TEXT, " 32109919860312017x", "32109919860312017X"),
        ("month", FieldKind.TEXT, "202610", "2026-10"),
        ("month", FieldKind.TEXT, "2026年1月", "2026-01"),
        ("yuan", FieldKind.MONEY, Decimal("12345.6"), 1234560),
        ("yuan", FieldKind.MONEY, 12, 1200),
        ("fen", FieldKind.MONEY, "1200", 1200),
        ("integer", FieldKind.INTEGER, "007", 7),
        ("decimal", FieldKind.DECIMAL, "0118.50", "118.50"),
        ("decimal", FieldKind.DECIMAL, ".5", "0.5"),
        ("decimal", FieldKind.DECIMAL, Decimal("1E+2"), "100"),
        ("datetime", FieldKind.DATETIME, "20261020123456", "2026-10-20T04:34:56Z"),
        ("date", FieldKind.DATE, date(2026, 10, 20), "2026-10-20"),
        ("code", FieldKind.CODE, "已婚", "20"),
        ("flag", FieldKind.FLAG, True, True),
        ("flag", FieldKind.FLAG, "否", False),
        ("narrow", FieldKind.TEXT, "文昌路８８号，２幢（北）\u3000９０２室", "文昌路88号,2幢(北) 902室"),
        ("strip", FieldKind.TEXT, "文昌路，北", "文昌路，北"),
        ("id_number", FieldKind.TEXT, "３２１０９９１９８６０３１２０１７ｘ", "32109919860312017X"),
        ("yuan", FieldKind.MONEY, "１，２３４．５６", 123456),
        ("wan_yuan", FieldKind.MONEY, "98.0001", 98000100),
        ("wan_yuan", FieldKind.MONEY, "-0.5", -500000),
        ("date", FieldKind.DATE, "２０２６－１０－２０", "2026-10-20"),
        ("date", FieldKind.DATE, "20261020123456", "2026-10-20"),
        ("date", FieldKind.DATE, 1792425600000, "2026-10-20"),
        ("date", FieldKind.DATE, "1792425599999", "2026-10-19"),
        ("strip", FieldKind.TEXT, "", None),
        ("yuan", FieldKind.MONEY, "null", None),
        ("date", FieldKind.DATE, None, None),
    ],
)
def test_translations(spelling: Spelling, kind: FieldKind, written: object, value: Scalar) -> None:
    column = Column("x", spelling, codes={"已婚": "20"} if spelling == "code" else {}, yes=("是", "true"), no=("否",))
    read = translate(column, field(kind, ("20",)), written)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("spelling", "kind", "written"),
    [
        ("text", FieldKind.TEXT, "a\x00b"),
        ("text", FieldKind.TEXT, "x" * 21),
        ("text", FieldKind.TEXT, {"x": 1}),
        ("text", FieldKind.TEXT, ["x"]),
        ("text", FieldKind.TEXT, "x" * 10_001),
        ("yuan", FieldKind.MONEY, Decimal("1e999999999")),
        ("decimal", FieldKind.DECIMAL, Decimal("1e-999999999")),
        ("wan_yuan", FieldKind.MONEY, "98.0000001"),
        ("yuan", FieldKind.MONEY, 12345.67),
        ("yuan", FieldKind.MONEY, True),
        ("fen", FieldKind.MONEY, "12.00"),
        ("fen", FieldKind.MONEY, str(2**53)),
        ("integer", FieldKind.INTEGER, "1e3"),
        ("decimal", FieldKind.DECIMAL, "1,5"),
        ("decimal", FieldKind.DECIMAL, "."),
        ("code", FieldKind.CODE, "未知"),
        ("flag", FieldKind.FLAG, "maybe"),
        ("month", FieldKind.TEXT, "202613"),
    ],
)
def test_what_does_not_fit_is_garbled_and_not_quoted(spelling: Spelling, kind: FieldKind, written: object) -> None:
    column = Column("x", spelling, codes={"已婚": "20"} if spelling == "code" else {}, yes=("是",), no=("否",))
    with pytest.raises(DepartmentError) as raised:
        translate(column, field(kind, ("20",)), written)
    assert str(written) not in str(raised.value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_decimals_lose_no_digit(number: Decimal) -> None:
    read = translate(Column("x", "decimal"), field(FieldKind.DECIMAL), number)
    assert isinstance(read, str)
    assert Decimal(read) == number
    assert read.partition(".")[2] == format(number, "f").partition(".")[2]


def test_a_float_is_not_a_plain_value() -> None:
    with pytest.raises(DepartmentError):
        as_text(0.1)
