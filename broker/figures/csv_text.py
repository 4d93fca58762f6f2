"""The figures as CSV that a spreadsheet opens without running anything in it."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

HEADING: Final = ("month", "table", "row", "name_zh", "name_en", "state", "count", "sum", "sum_unit")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
BOM: Final = "\ufeff"
"""Without it, spreadsheets take Chinese for something else."""


def csv_of(rows: Iterable[Sequence[str]]) -> str:
    """The heading and these rows."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADING)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return BOM + text.getvalue()


def harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text: what would begin a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
