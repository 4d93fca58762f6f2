"""Finding a value in plain nested data by a dotted path."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str, ...]


class Missing:
    """What stands where the department sent nothing at all, as against an empty value."""


MISSING: Final = Missing()
_SINGLE: Final = (str, int, type(None))
"""What nearly every value of an answer is: told apart without asking whether it is some mapping."""


@cache  # only routes files name paths; nothing of an answer comes here
def path(dotted: str) -> Path:
    """`a.b` as steps; the empty text is the whole answer."""
    return tuple(dotted.split(".")) if dotted else ()


def look(tree: Any, steps: Path) -> Any:
    """Return the value at the path, or MISSING."""
    for step in steps:
        # nearly always a dict: asking for any Mapping costs as much as all the rest
        if not isinstance(tree, dict) and not isinstance(tree, Mapping):
            return MISSING
        tree = tree.get(step, MISSING)
    return tree


def leaves(tree: Any) -> int:
    """How many single values a piece of an answer holds."""
    count, left = 0, [tree]
    while left:
        one = left.pop()
        if isinstance(one, list):
            inner = one
        elif isinstance(one, Mapping):
            inner = list(one.values())
        else:
            count += 1
            continue
        deeper = [each for each in inner if not isinstance(each, _SINGLE)]
        count += len(inner) - len(deeper)
        left += deeper
    return count
