"""How Chinese systems write what is meant plainly: full-width letters, digits and punctuation, and stray spaces."""

from typing import Final

_NARROW: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
"""Full-width forms of ASCII (U+FF01 to U+FF5E) and the ideographic space."""
_DOTS: Final = dict.fromkeys(map(ord, "\u2022\u2027\u2219\u30fb\uff0e\uff65."), "\u00b7")
"""The ways in which the dot in a minority name is typed, as the one of GB 18030 (U+00B7)."""


def narrow(text: str) -> str:
    """Return the text with full-width letters, digits, punctuation and spaces in their ASCII forms."""
    return text if text.isascii() else text.translate(_NARROW)


def plain_name(name: str) -> str:
    """Return a person's name without spaces, in one case, with one kind of dot: for comparing only."""
    return "".join(narrow(name.translate(_DOTS)).split()).casefold()
