"""The id-card number in its written forms (GB 11643): lower-case x, and the 15 digits of before 1999."""

import re
from typing import Final

from policies.identifiers import check_digit

_EIGHTEEN: Final = re.compile(r"[0-9]{17}[0-9X]")
_FIFTEEN: Final = re.compile(r"[0-9]{15}")


def canonical(written: str) -> str:
    """Return the number in its 18-character upper-case form; any other identifier only trimmed and in upper case."""
    number = written.strip().upper()
    if _FIFTEEN.fullmatch(number):
        seventeen = f"{number[:6]}19{number[6:]}"
        return seventeen + check_digit(seventeen)
    return number


def spellings(id_number: str) -> tuple[str, ...]:
    """Every form in which a department may have filed this number, the usual one first."""
    number = canonical(id_number)
    forms = [number, number.lower()]
    if _EIGHTEEN.fullmatch(number) and number[6:8] == "19":
        forms.append(number[:6] + number[8:17])
    return tuple(dict.fromkeys(forms))


def same_person(written: object, asked: str) -> bool:
    """Whether a department's value is the asked person's number; anything but such a text is somebody else."""
    if isinstance(written, int) and not isinstance(written, bool):
        written = str(written)
    return isinstance(written, str) and canonical(written) == canonical(asked) != ""
