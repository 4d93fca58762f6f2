"""Identifiers at the edge: id-card numbers of people, and ids that must never look like one."""

import re
from datetime import date
from typing import Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_NUMBER: Final = re.compile(r"[1-9][0-9]{16}[0-9X]")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_LIKE_A_NUMBER: Final = re.compile(r"(?<![0-9])[1-9][0-9]{14}(?:[0-9]{2}[0-9Xx])?(?![0-9])")


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


def check_digit(first_17: str) -> str:
    """The last character of an id-card number (ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True)) % 11]


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
