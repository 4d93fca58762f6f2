"""JSON as departments send it: exact numbers, no member twice, several documents in a row where told."""

import json
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from connectors.trouble import garbled

Stuck: TypeAlias = Literal["refuse", "first", "last", "list"]


def read_json(text: str, stuck: Stuck = "refuse") -> Any:
    """Return the document; of several in a row the one `stuck` says. Raises DepartmentError for what is no JSON."""
    try:
        if stuck == "refuse":
            return _DECODER.decode(text)
        found = _each(text)
    except (ValueError, ArithmeticError):
        raise garbled("not_json") from None
    except RecursionError:
        raise garbled("too_deep") from None
    if len(found) == 1:
        return found[0]
    return found if stuck == "list" else found[0 if stuck == "first" else -1]


def _each(text: str) -> list[Any]:
    found: list[Any] = []
    at = 0
    while True:
        document, at = _DECODER.raw_decode(text, at)
        found.append(document)
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at == len(text):
            return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise garbled("member_stands_twice")
    return members


def _no_constant(_name: str) -> Any:
    raise garbled("not_json")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_members)
