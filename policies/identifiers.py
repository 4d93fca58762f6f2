"""Identifiers at the edge: numbers of people and of organisations, and ids that must never look like one."""

import re
from datetime import date
from typing import Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_NUMBER: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_LIKE_A_NUMBER: Final = re.compile(r"(?<![0-9])[1-9][0-9]{14}(?:[0-9]{2}[0-9Xx])?(?![0-9])")
_OLD_LENGTH: Final = 15
_USCC: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_YEARS: Final = range(1850, 2100)
_NOBODYS: Final = "321099"


def read_id_number(text: str) -> str:
    """An 18-character id-card number, X in upper case (GB 11643: length, real date, MOD 11-2). ValueError otherwise.

    Retired division codes are accepted: they stand in real people's numbers. The error never holds the number.
    """
    number = text.strip().upper()
    if not _NUMBER.fullmatch(number):
        raise ValueError("not the form of an id-card number")
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise ValueError("no such birth date") from None
    if check_digit(number[:17]) != number[17]:
        raise ValueError("the check digit is wrong")
    return number


def read_uscc(text: str) -> str:
    """A unified social credit code in upper case (GB 32100: 18 of 31 characters, the last a check). Else ValueError.

    The error never holds the code.
    """
    code = text.strip().upper()
    if not _USCC.fullmatch(code):
        raise ValueError("not the form of a unified social credit code")
    if uscc_check(code[:17]) != code[17]:
        raise ValueError("the check character is wrong")
    return code


def uscc_check(first_17: str) -> str:
    """The last character of a unified social credit code (weights 3^i modulo 31)."""
    total = sum(_USCC_ALPHABET.index(one) * pow(3, place, 31) for place, one in enumerate(first_17))
    return _USCC_ALPHABET[-total % 31]


def age_on(day: date, id_number: str) -> int:
    """Full years of a person whose number `read_id_number` has read."""
    born = id_number[6:14]
    return day.year - int(born[:4]) - (f"{day:%m%d}" < born[4:])


def check_digit(first_17: str) -> str:
    """The last character of an id-card number (ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True)) % 11]


def numbers_in(text: str) -> list[str]:
    """Every part of `text` that is an id-card number in form and birth date, of 18 or 15 digits, whatever its check."""
    return [number for number in _LIKE_A_NUMBER.findall(text) if _has_birth_date(number)]


def made_up(number: str) -> bool:
    """Whether this number can be nobody's: there never was a division 321099."""
    return number.startswith(_NOBODYS)


def made_up_firm(uscc: str) -> bool:
    """Whether this unified social credit code can be nobody's: its division never existed."""
    return uscc[2:].startswith(_NOBODYS)


def _has_birth_date(number: str) -> bool:
    written = number[6:14] if len(number) > _OLD_LENGTH else f"19{number[6:12]}"
    try:
        return date.fromisoformat(written).year in _YEARS
    except ValueError:
        return False


def read_identifier(text: str, lengths: range) -> str:
    """A URL-safe id of ours or of a requester. ValueError where it is not, or could be somebody's id-card number."""
    if len(text) not in lengths or not _IDENTIFIER.fullmatch(text):
        raise ValueError("not a URL-safe identifier")
    if _LIKE_A_NUMBER.search(text):
        raise ValueError("shaped like an id-card number")
    return text


def read_label(text: str, longest: int = 64) -> str:
    """A short text for people's eyes, such as a desk's name. ValueError where it could carry a person's number."""
    if len(text) > longest or not text.isprintable() or _LIKE_A_NUMBER.search(text):
        raise ValueError("not a label")
    return text
