"""Finding a value in plain nested data by a dotted path."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str, ...]


class Missing:
    """What stands where the department sent nothing at all, as against an empty value."""


MISSING: Final = Missing()


def path(dotted: str) -> Path:
    """`a.b` as steps; the empty text is the whole answer."""
    return tuple(dotted.split(".")) if dotted else ()


def look(tree: Any, steps: Path) -> Any:
    """Return the value at the path, or MISSING."""
    for step in steps:
        if not isinstance(tree, Mapping) or step not in tree:
            return MISSING
        tree = tree[step]
    return tree


def leaves(tree: Any) -> int:
    """How many single values a piece of an answer holds."""
    if isinstance(tree, Mapping):
        return sum(leaves(value) for value in tree.values())
    if isinstance(tree, list):
        return sum(leaves(value) for value in tree)
    return 1
