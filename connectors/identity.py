"""A subject's number in its written forms: of an id card (GB 11643) lower-case x, and the 15 digits of before 1999."""

import re
from typing import Final

from connectors.written import narrow, plain_name
from policies.identifiers import check_digit

_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN: Final = re.compile(r"[0-9]{15}")


def canonical(written: str) -> str:
    """Return the number in its 18-character upper-case form; any other identifier only trimmed and in upper case."""
    if _EIGHTEEN.fullmatch(written):
        return written
    number = narrow(written).strip().upper()
    if _FIFTEEN.fullmatch(number):
        seventeen = f"{number[:6]}19{number[6:]}"
        return seventeen + check_digit(seventeen)
    return number


def spellings(number: str) -> tuple[str, ...]:
    """Every form in which a department may have filed this number, the usual one first."""
    number = canonical(number)
    forms = [number, number.lower()]
    if _EIGHTEEN.fullmatch(number) and number[6:8] == "19":
        forms.append(number[:6] + number[8:17])
    return tuple(dict.fromkeys(forms))


def same_number(written: object, asked: str) -> bool:
    """Whether a department's value is the asked subject's number; anything but such a text is somebody else."""
    if written == asked and _EIGHTEEN.fullmatch(asked):
        return True
    if isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    return isinstance(written, str) and canonical(written) == canonical(asked) != ""


def same_name(written: object, asked: str) -> bool:
    """Whether a department's value is the asked subject's name, spaces, width of letters and kind of dot aside."""
    if not isinstance(written, str):
        return False
    return written.strip() == asked != "" or plain_name(written) == plain_name(asked) != ""
