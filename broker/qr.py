"""A consent link as a QR code: nothing in it but the link and its opaque ticket (ISO/IEC 18004, level M, border 4)."""

from io import BytesIO, StringIO
from typing import Any

import segno

MODULE: int = 8
"""Pixels a module: 60 mm and more on a customer's screen."""


def svg(link: str, *, scalable: bool = False) -> str:
    """A picture for a page or a sheet of paper, black on white whatever the theme around it.

    `scalable`: as large as the page around it says.
    """
    drawn = BytesIO()
    drawing: Any = {"xmldecl": False, "title": "", "omitsize": scalable}
    _code(link).save(drawn, kind="svg", scale=MODULE, border=4, dark="#000", light="#fff", **drawing)
    return drawn.getvalue().decode()


def for_terminal(link: str) -> str:
    """The same out of half blocks."""
    drawn = StringIO()
    _code(link).terminal(drawn, border=4, compact=True)
    return drawn.getvalue()


def _code(link: str) -> segno.QRCode:
    return segno.make(link, error="m", boost_error=False, micro=False)
