"""A bar chart's geometry, in em and percent so that it follows the reader's own text size and any width of screen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import east_asian_width

LINE: Final = 1.5
BAR: Final = 0.8
GAP: Final = 0.9
WIDEST: Final = 24
"""Halves of a Chinese character in a line: what a screen of 320 px shows."""


@dataclass(frozen=True, slots=True)
class Label:
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its words, in one or several lines, and below them its bar; without one where there is no number."""

    labels: Sequence[Label]
    y: float
    percent: float


@dataclass(frozen=True, slots=True)
class Chart:
    bars: Sequence[Bar]
    height: float


def chart(rows: Iterable[tuple[str, int]]) -> Chart:
    """A bar for each (words, number), the longest as wide as the page."""
    given = list(rows)
    longest = max((number for _, number in given), default=0) or 1
    bars, y = [], 0.0
    for words, number in given:
        labels = [Label(round(y + LINE * at + 1.05, 2), line) for at, line in enumerate(_lines(words))]
        below = round(y + LINE * len(labels), 2)
        bars.append(Bar(labels, below, round(100 * number / longest, 2)))
        y = below + BAR + GAP
    return Chart(bars, round(y, 2))


def _lines(words: str) -> Iterator[str]:
    line, width = "", 0
    for word in _pieces(words):
        wide = sum(_halves(sign) for sign in word)
        if line and width + wide > WIDEST:
            yield line.strip()
            line, width = "", 0
        line, width = line + word, width + wide
    yield line.strip()


def _pieces(words: str) -> Iterator[str]:
    """Where a line may end: after a space, and after any Chinese character."""
    piece = ""
    for sign in words:
        piece += sign
        if sign == " " or _halves(sign) > 1:
            yield piece
            piece = ""
    yield piece


def _halves(sign: str) -> int:
    return 2 if east_asian_width(sign) in "WF" else 1
