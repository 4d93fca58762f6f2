"""The work list as CSV that a spreadsheet opens without running anything that stands in it."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any, Final

MOST: Final = 5_000
COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "number": ("业务编号", "case"),
    "person": ("姓名", "person"),
    "id_number": ("证件尾号", "id number"),
    "matter_name": ("业务", "matter"),
    "stage_name": ("步骤", "step"),
    "joint_name": ("联办", "joint"),
    "partner": ("对方中心", "partner"),
    "started": ("受理时间", "started"),
    "due": ("到期时间", "due"),
    "clock": ("时限", "clock"),
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Full width ones run too."""


def write(rows: Iterable[Mapping[str, Any]], *, english: bool) -> str:
    """With a byte order mark, or Chinese would be read in another encoding."""
    written = StringIO()
    sheet = csv.writer(written)
    sheet.writerow([names[english] for names in COLUMNS.values()])
    for row in rows:
        sheet.writerow([harmless(str(row[name] or "")) for name in COLUMNS])
    return "\ufeff" + written.getvalue()


def harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula is made a text by an apostrophe (CWE-1236)."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell.startswith(_FORMULA) else cell
