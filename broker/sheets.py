"""What is to be printed, in sections and paragraphs; and whether this machine can print."""

import importlib.util

import msgspec


class Section(msgspec.Struct, frozen=True):
    """A heading, and paragraphs of lines below it; a paragraph's first line stands out."""

    heading: str
    paragraphs: list[list[str]]


class Sheets(msgspec.Struct, frozen=True):
    """A document: its language, its title, what stands below that, and a page's number in words, as `第 {} 页`."""

    lang: str
    title: str
    about: list[str]
    page: str
    sections: list[Section]


def can_print() -> bool:
    """Whether the extra `pdf` is installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("fpdf", "pylopdf_fonts_zh_cn"))
