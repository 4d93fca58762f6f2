"""`python -m broker.paper`: sheets (broker/sheets.py) as JSON on standard input, a PDF on standard output.

A process of its own: reading the Chinese font takes seconds of one core and some memory, and neither is to be the
server's. The font is Noto Sans SC under the SIL Open Font License, of the package pylopdf-fonts-zh-cn; it and fpdf2 are
the extra `pdf`, so the server imports nothing of this file.
"""

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec
from fpdf import FPDF
from pylopdf_fonts_zh_cn import sans_path

from broker.sheets import Sheets

FONT: Final = "NotoSansSC"
MARGIN: Final = 18
"""Millimetres, as all lengths here; sizes of type are in points."""
TITLE: Final = 20
HEADING: Final = 15
TEXT: Final = 11
LEADING: Final = 0.58
"""Of a line, in millimetres a point: 1.65 lines."""
INK: Final = (23, 34, 43)
SOFT: Final = (74, 88, 99)
_ATOM: Final = re.compile(r"[!-~\u00a0-\u024f]+|\s|.", re.DOTALL)
"""What is never parted: a word or number in Latin letters, else one character."""
_NEVER_FIRST: Final = frozenset("，。、；：！？）》」』”’·…,.;:!?)]}%")
"""What never begins a line (GB/T 15834)."""


class Paper(FPDF):
    """A4 in one font, with a page's number at its foot."""

    def __init__(self, sheets: Sheets) -> None:
        super().__init__()
        self._page_words = sheets.page
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + 6)
        self.add_font(FONT, "", str(sans_path()))
        self.set_title(sheets.title)
        self.set_lang(sheets.lang)
        self.width_of = lru_cache(maxsize=8192)(self._width)

    def footer(self) -> None:
        self.set_y(-MARGIN)
        self.set_font(FONT, size=9)
        self.set_text_color(*SOFT)
        self.cell(0, 6, self._page_words.format(self.page_no()), align="C")

    def write_lines(self, text: str, size: int, colour: tuple[int, int, int] = INK, indent: float = 0) -> None:
        """Text with its own line breaks, broken further where it is too wide."""
        self.set_font(FONT, size=size)
        self.set_text_color(*colour)
        for line in text.split("\n"):
            for broken in self._broken(line, size, self.epw - indent):
                self.set_x(self.l_margin + indent)
                self.cell(0, size * LEADING, broken, new_x="LMARGIN", new_y="NEXT")
                self.set_text_color(*colour)  # a page's foot may have come between

    def _broken(self, text: str, size: int, width: float) -> Iterator[str]:
        line, used = "", 0.0
        for atom in _ATOM.findall(text):
            wide = self.width_of(atom, size)
            if line and used + wide > width and atom not in _NEVER_FIRST:
                yield line.rstrip()
                line, used = "", 0.0
            if not line and atom.isspace():
                continue
            for part in atom if wide > width else [atom]:  # one word as wide as the page
                if line and used + self.width_of(part, size) > width and part not in _NEVER_FIRST:
                    yield line
                    line, used = "", 0.0
                line, used = line + part, used + self.width_of(part, size)
        yield line.rstrip()

    def _width(self, text: str, size: int) -> float:
        self.set_font(FONT, size=size)
        return float(self.get_string_width(text))


def drawn(sheets: Sheets) -> bytes:
    """The PDF."""
    paper = Paper(sheets)
    paper.add_page()
    paper.write_lines(sheets.title, TITLE)
    paper.ln(2)
    for line in sheets.about:
        paper.write_lines(line, TEXT, SOFT)
    for section in sheets.sections:
        paper.ln(6)
        if paper.will_page_break(HEADING * LEADING + 4 * TEXT * LEADING):
            paper.add_page()  # a heading never stands alone at the foot
        paper.write_lines(section.heading, HEADING)
        for first, *others in section.paragraphs:
            paper.ln(2.5)
            paper.write_lines(first, TEXT)
            for line in others:
                paper.write_lines(line, TEXT, SOFT, indent=4)
    return bytes(paper.output())


def main() -> None:
    sys.stdout.buffer.write(drawn(msgspec.json.decode(sys.stdin.buffer.read(), type=Sheets)))


if __name__ == "__main__":
    main()
