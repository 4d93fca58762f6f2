"""Id-card numbers by their own arithmetic, and ids that must never look like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.departments.people import RESIDENTS
from policies.identifiers import check_digit, read_id_number, read_identifier, read_label

ANY_LENGTH = range(1, 65)
XU = "321099198603120178"


def mod_11_2(text: str) -> int:
    """ISO 7064 MOD 11-2 as the standard defines it, digit by digit; a valid number leaves 1."""
    rest = 0
    for sign in text:
        rest = (rest * 2 + (10 if sign == "X" else int(sign))) % 11
    return rest


seventeen = st.builds(
    lambda day, order: f"321099{day:%Y%m%d}{order:03d}",
    st.dates(),
    st.integers(0, 999),
).filter(lambda number: len(number) == 17)


@given(seventeen)
def test_the_check_digit_is_that_of_the_standard(first: str) -> None:
    number = first + check_digit(first)
    assert mod_11_2(number) == 1
    assert read_id_number(number) == number
    assert read_id_number(f" {number.lower()} ") == number


@given(seventeen, st.sampled_from("0123456789X"))
def test_only_one_last_character_is_right(first: str, last: str) -> None:
    if last == check_digit(first):
        return
    with pytest.raises(ValueError, match="check digit"):
        read_id_number(first + last)


@given(seventeen, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(first: str, place: int, shift: int) -> None:
    wrong = first[:place] + str((int(first[place]) + shift) % 10) + first[place + 1 :]
    with pytest.raises(ValueError, match=r"check digit|birth date|form"):
        read_id_number(wrong + check_digit(first))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        XU[:-1],
        f"{XU}1",
        f"0{XU[1:]}",
        "32109919860312017Y",
        "３２１０９９１９８６０３１２０１７８",
        "321099860312017",
        XU[:17] + "٨",
    ],
)
def test_not_the_form_of_one(text: str) -> None:
    with pytest.raises(ValueError, match="not the form") as caught:
        read_id_number(text)
    assert len(text) < 2 or text not in str(caught.value)


@pytest.mark.parametrize("born", ["19860230", "19861301", "19860100", "19000229", "00000101"])
def test_a_day_that_never_was(born: str) -> None:
    first = f"321099{born}017"
    with pytest.raises(ValueError, match="no such birth date"):
        read_id_number(first + check_digit(first))


def test_the_made_up_people_are_well_made_up() -> None:
    assert all(read_id_number(resident.person.id_number).startswith("321099") for resident in RESIDENTS)


SHAPED = [XU, XU[:17] + "X", XU[:17] + "x", f"a-{XU}", f"{XU}.b", f"case{XU}end", "321099860312017", f"a{XU[:15]}b"]


@pytest.mark.parametrize("text", SHAPED)
def test_an_id_is_never_shaped_like_an_id_number(text: str) -> None:
    # Shape alone: a wrong check digit is a slip of the pen, and still somebody's number
    for shaped in (text, text.replace("0178", "0171")):
        with pytest.raises(ValueError, match="shaped like"):
            read_identifier(shaped, ANY_LENGTH)
        with pytest.raises(ValueError, match="not a label"):
            read_label(f"窗口 {shaped}")


@pytest.mark.parametrize(
    "text", ["a", "YZ-2026-000123", "x-20261122-0001", "1" * 14, "1" * 16, "1" * 19, "0" * 18, "a.b_c~d"]
)
def test_plain_ids(text: str) -> None:
    assert read_identifier(text, ANY_LENGTH) == text


@pytest.mark.parametrize(
    "text", ["", "-a", ".a", "_a", "a b", "a/b", "a%20", "a\n", "窗口", "a" * 65, "a:b", "a?b", "a#b"]
)
def test_not_safe_in_a_url(text: str) -> None:
    with pytest.raises(ValueError, match="not a URL-safe identifier"):
        read_identifier(text, ANY_LENGTH)


@pytest.mark.parametrize("text", ["a\nb", "a\x1bb", "a\u202eb", "a" * 65, "\ud800"])
def test_a_label_is_short_and_printable(text: str) -> None:
    with pytest.raises(ValueError, match="not a label"):
        read_label(text)
