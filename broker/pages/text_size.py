"""How large a citizen's pages are: the standard, or the version for older people in a few steps of text.

MIIT's specification for older users (domain 4.4): text from 18 to 30 px, targets of 60 px, lines of 1.3 and more. What
each step looks like says static/large.css, by the class `size-N`.
"""

from collections.abc import Mapping
from typing import Final

SIZES: Final = (18, 21, 24, 27, 30)
"""Pixels of main text, of the large version."""
FIRST: Final = 24
"""What the large version begins with."""
COOKIE: Final = "text_size"
"""It holds one of SIZES, and says nothing about anybody."""


def chosen(cookies: Mapping[str, str]) -> int | None:
    """The text's size in the large version; None for the standard version, and for whatever nobody offered."""
    return read(cookies.get(COOKIE, ""))


def read(text: str) -> int | None:
    return next((size for size in SIZES if text == str(size)), None)


def smaller(size: int) -> int | None:
    """The step below, if there is one."""
    return max((one for one in SIZES if one < size), default=None)


def larger(size: int) -> int | None:
    """The step above, if there is one."""
    return min((one for one in SIZES if one > size), default=None)
