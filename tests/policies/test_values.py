"""Values that fit their kind pass unchanged; anything else is refused by name and never repeated."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.catalogue import Catalogue
from policies.errors import PolicyError, ValueRefusedError
from policies.values import check_expect, check_params, check_value
from policies.vocabulary import Field, FieldKind, Scalar

CATALOGUE = Catalogue.load()
TAX, ESTATE = CATALOGUE.item("deed_tax"), CATALOGUE.item("real_estate_registration")
MARRIAGE, ACCOUNT = CATALOGUE.item("marriage_check_single"), CATALOGUE.item("hpf_remote_account")
SECRET = "徐示例"


def field(kind: FieldKind) -> Field:
    codes = {"01": "正常"} if kind is FieldKind.CODE else {}
    return Field("asked", "所查", "Asked", kind, sensitive=True, example="", max_length=10, codes=codes)


GOOD: list[tuple[FieldKind, Scalar]] = [
    (FieldKind.TEXT, "扬州市示例路1号"),
    (FieldKind.TEXT, ""),
    (FieldKind.TEXT, "x" * 10),
    (FieldKind.TEXT, "\ue000"),  # rare characters of names stand in the private use area
    (FieldKind.CODE, "01"),
    (FieldKind.INTEGER, -7),
    (FieldKind.INTEGER, 2**53 - 1),
    (FieldKind.MONEY, 0),
    (FieldKind.MONEY, 1234500),
    (FieldKind.MONEY, -1),
    (FieldKind.DECIMAL, "118.50"),
    (FieldKind.DECIMAL, "-0.5"),
    (FieldKind.DECIMAL, "0"),
    (FieldKind.DATE, "2024-02-29"),
    (FieldKind.DATETIME, "2026-11-22T08:00:00Z"),
    (FieldKind.DATETIME, "2026-11-22T08:00:00.123456Z"),
    (FieldKind.FLAG, False),
    (FieldKind.FLAG, True),
    *((kind, None) for kind in FieldKind),
]

BAD: list[tuple[FieldKind, object]] = [
    (FieldKind.TEXT, 5),
    (FieldKind.TEXT, b"bytes"),
    (FieldKind.TEXT, "x" * 11),
    (FieldKind.TEXT, "a\x00b"),
    (FieldKind.TEXT, "a\nb"),
    (FieldKind.TEXT, "\ud800"),
    (FieldKind.TEXT, "a\u202eb"),
    (FieldKind.TEXT, ["a"]),
    (FieldKind.CODE, "1"),
    (FieldKind.CODE, 1),
    (FieldKind.CODE, ""),
    (FieldKind.CODE, ["01"]),
    (FieldKind.INTEGER, True),
    (FieldKind.INTEGER, "7"),
    (FieldKind.INTEGER, 7.0),
    (FieldKind.INTEGER, 2**53),
    (FieldKind.MONEY, 12345.0),
    (FieldKind.MONEY, "12345.00"),
    (FieldKind.MONEY, False),
    (FieldKind.MONEY, -(2**53)),
    (FieldKind.DECIMAL, 118.5),
    (FieldKind.DECIMAL, 118),
    (FieldKind.DECIMAL, "118,5"),
    (FieldKind.DECIMAL, "1e3"),
    (FieldKind.DECIMAL, "NaN"),
    (FieldKind.DECIMAL, ".5"),
    (FieldKind.DECIMAL, "5."),
    (FieldKind.DECIMAL, "05"),
    (FieldKind.DECIMAL, "1\n"),
    (FieldKind.DECIMAL, "１２"),
    (FieldKind.DATE, "2026-02-30"),
    (FieldKind.DATE, "0000-01-01"),
    (FieldKind.DATE, "20260222"),
    (FieldKind.DATE, "2026-W08-1"),
    (FieldKind.DATE, "2026-2-3"),
    (FieldKind.DATE, "2026-02-22\n"),
    (FieldKind.DATE, "２０２６-02-22"),
    (FieldKind.DATE, 20260222),
    (FieldKind.DATETIME, "2026-11-22T08:00:00+08:00"),
    (FieldKind.DATETIME, "2026-11-22 08:00:00Z"),
    (FieldKind.DATETIME, "2026-11-22T24:00:00Z"),
    (FieldKind.DATETIME, "2026-02-30T08:00:00Z"),
    (FieldKind.DATETIME, "2026-11-22T08:00:00"),
    (FieldKind.DATETIME, 1795334400),
    (FieldKind.FLAG, 1),
    (FieldKind.FLAG, "true"),
    (FieldKind.FLAG, ""),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_a_fitting_value_passes_unchanged(kind: FieldKind, value: Scalar) -> None:
    passed = check_value(field(kind), value)
    assert passed == value
    assert type(passed) is type(value)


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_a_misfit_is_refused(kind: FieldKind, value: object) -> None:
    with pytest.raises(ValueRefusedError) as caught:
        check_value(field(kind), value)
    assert caught.value.member == "asked"


@settings(max_examples=300)
@given(
    kind=st.sampled_from(FieldKind),
    value=st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=11) | st.floats() | st.binary(),
)
def test_a_refusal_never_holds_the_value(kind: FieldKind, value: object) -> None:
    with pytest.raises(ValueRefusedError) as caught:
        check_value(field(kind), value)
    error: BaseException | None = caught.value
    while error is not None:
        assert str(value) not in f"{error!s}{error!r}" or not str(value)
        assert value not in vars(error).values() or value == b""
        error = error.__cause__ or error.__context__


def test_known_parameters_in_their_form_pass() -> None:
    assert check_params(TAX, {}) == {}
    assert check_params(TAX, {"date_to": "2026-11-22"}) == {"date_to": "2026-11-22"}
    assert check_params(ESTATE, {"division_code": "321002"}) == {"division_code": "321002"}
    assert check_params(ACCOUNT, {"center_code": "C11000"}) == {"center_code": "C11000"}


@pytest.mark.parametrize(
    ("item", "params", "member"),
    [
        (TAX, {"date_from": "2026-02-30"}, "params.date_from"),
        (TAX, {"date_from": 20260222}, "params.date_from"),
        (TAX, {"date_from": None}, "params.date_from"),
        (TAX, {"date_from": ""}, "params.date_from"),
        (ESTATE, {"division_code": "32100"}, "params.division_code"),
        (ESTATE, {"division_code": "321002\n"}, "params.division_code"),
        (ESTATE, {"division_code": "３２１００２"}, "params.division_code"),
        (ESTATE, {"division_code": "' OR 1=1"}, "params.division_code"),
        (ACCOUNT, {"center_code": "c11000"}, "params.center_code"),
        (ACCOUNT, {"center_code": "C" * 1000}, "params.center_code"),
        (ESTATE, {"date_from": "2026-02-22"}, "params.date_from"),
        (MARRIAGE, {"spouse": SECRET}, "params.spouse"),
        (TAX, {SECRET: "x"}, "params"),
        (TAX, {"n321099199001011237": "x"}, "params"),
    ],
)
def test_a_parameter_out_of_form_is_refused_by_name(item: Any, params: dict[str, object], member: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_params(item, params)
    assert isinstance(caught.value, ValueRefusedError)
    assert caught.value.member == member
    for value in (SECRET, "321099", *(str(value) for value in params.values() if value)):
        assert value not in str(caught.value)


def test_claims_about_asked_fields_pass() -> None:
    assert check_expect(MARRIAGE, ("marital_status",), {"marital_status": "20"}) == {"marital_status": "20"}
    assert check_expect(MARRIAGE, ("marital_status",), {}) == {}
    assert check_expect(TAX, ("paid_date",), {}) == {}


@pytest.mark.parametrize(
    ("item", "fields", "expect", "member"),
    [
        (TAX, ("paid_date",), {"paid_date": "2026-02-22"}, "expect"),
        (MARRIAGE, ("marital_status",), {"registration_date": "2026-02-22"}, "expect.registration_date"),
        (MARRIAGE, ("marital_status", "spouse"), {"spouse": SECRET}, "expect.spouse"),
        (MARRIAGE, ("marital_status",), {"marital_status": "99"}, "expect.marital_status"),
        (MARRIAGE, ("marital_status",), {"marital_status": 20}, "expect.marital_status"),
        (MARRIAGE, ("marital_status",), {"marital_status": None}, "expect.marital_status"),
        (MARRIAGE, ("marital_status",), {SECRET: "20"}, "expect"),
    ],
)
def test_a_claim_out_of_place_is_refused_by_name(
    item: Any, fields: tuple[str, ...], expect: dict[str, object], member: str
) -> None:
    with pytest.raises(ValueRefusedError) as caught:
        check_expect(item, fields, expect)
    assert caught.value.member == member
    assert SECRET not in str(caught.value)


def test_what_was_checked_is_a_copy() -> None:
    params: dict[str, object] = {"date_to": "2026-11-22"}
    checked = check_params(TAX, params)
    params["date_to"] = "2027-01-01"
    assert checked == {"date_to": "2026-11-22"}
