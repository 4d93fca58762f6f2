"""What stands on the screen until a clerk asks for the value: enough to tell two people apart, not to know them."""

import re
from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = "••••"
_TAIL: Final = 4
_LONG_NUMBER: Final = re.compile(r"[A-Z0-9]{8,}", re.IGNORECASE)


def mask_name(name: str) -> str:
    """Such as 徐**: as many stars whoever it is."""
    return f"{name[:1]}**"


def mask_number(number: str) -> str:
    """The last four."""
    return f"{HIDDEN}{number[-_TAIL:]}"


def mask_value(field: Mapping[str, Any], value: object) -> str:
    """A field's value, of whichever kind."""
    if value is None:
        return "—"
    text = str(value)
    if field.get("kind") == "text" and _LONG_NUMBER.search(text) and text.isascii():
        return mask_number(text)
    if field.get("kind") == "text" and str(field.get("id", "")).endswith(("name", "buyers")):
        return mask_name(text)
    return HIDDEN


def plain_value(field: Mapping[str, Any], value: object, *, english: bool) -> str:
    """The value in words: money in yuan, a code with its meaning."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return (("否", "no"), ("是", "yes"))[value][english]
    if field.get("kind") == "money" and isinstance(value, int):
        yuan = f"{value // 100:,}.{value % 100:02d}" if value >= 0 else f"-{-value // 100:,}.{-value % 100:02d}"
        return f"CNY {yuan}" if english else f"{yuan} 元"
    if field.get("kind") == "code":
        meaning = field.get("codes", {}).get(value, "")
        return f"{value} {meaning}".strip()
    return str(value)
