"""Filling a department's request: a closed list of placeholders, checked when the file is read.

A parameter the question does not carry leaves its member out (JSON, form, query, header) or is empty (XML).
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from connectors.contract import Question
from connectors.route import Place
from connectors.trouble import DepartmentError
from policies.vocabulary import Item, Outcome

_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_.]+)\}")
_QUESTION: Final = frozenset({"call", "requester", "operator", "matter", "case", "consent"})
_PERSON: Final = frozenset({"person.name", "person.id_number"})
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTES: Final = {'"': "&quot;", "'": "&apos;"}
_DEEPEST: Final = 20


class _LeftOut(Exception):
    pass


def placeholders(template: Any, item: Item, place: Place) -> frozenset[str]:
    """Return the placeholders used anywhere in the template. Raise ConfigurationError for one not on the list."""
    if isinstance(template, str):
        return _placeholders_of_text(template, item, place)
    if isinstance(template, dict):
        children = template.items()
    elif isinstance(template, list):
        children = dict(enumerate(template)).items()
    elif template is None or isinstance(template, (bool, int)):
        return frozenset()
    else:
        raise place.error("a template holds text, whole numbers, true, false and null only")
    if len(place.steps) > _DEEPEST:
        raise place.error("the template is too deep")
    return frozenset().union(*(placeholders(child, item, place.at(step)) for step, child in children))


def names_person(used: frozenset[str]) -> bool:
    """Whether any of the placeholders tells who is asked about."""
    return bool(used & _PERSON)


def values(question: Question, now_ms: int) -> Mapping[str, str]:
    """Return what each placeholder stands for in this call; parameters that the question does not carry are missing."""
    return {
        "person.name": question.person.name,
        "person.id_number": question.person.id_number,
        "now_ms": str(now_ms),
        **{name: getattr(question, name) for name in _QUESTION},
        **{f"param.{name}": value for name, value in question.params.items()},
    }


def fill(template: Any, filling: Mapping[str, str]) -> Any:
    """Return a JSON, form, query or header template with its members filled, those without a value left out."""
    if isinstance(template, str):
        return _substituted(template, filling)
    if isinstance(template, dict):
        return {name: content for name, child in template.items() for content in _filled(child, filling)}
    if isinstance(template, list):
        return [content for child in template for content in _filled(child, filling)]
    return template


def fill_xml(template: str, filling: Mapping[str, str]) -> str:
    """Return an XML template with every value escaped for text and attributes alike."""
    return _PLACEHOLDER.sub(lambda found: _escaped(filling.get(found[1], "")), template)


def _filled(template: Any, filling: Mapping[str, str]) -> list[Any]:
    try:
        return [fill(template, filling)]
    except _LeftOut:
        return []


def _substituted(template: str, filling: Mapping[str, str]) -> str:
    try:
        return _PLACEHOLDER.sub(lambda found: filling[found[1]], template)
    except KeyError:
        raise _LeftOut from None


def _escaped(value: str) -> str:
    if _NOT_XML.search(value):
        raise DepartmentError(Outcome.BAD_REQUEST, "not_writable_in_xml")
    return escape(value, _QUOTES)


def _placeholders_of_text(template: str, item: Item, place: Place) -> frozenset[str]:
    used = frozenset(_PLACEHOLDER.findall(template))
    permitted = _QUESTION | _PERSON | {"now_ms"} | {f"param.{name}" for name in item.parameters}
    for name in sorted(used - permitted):
        raise place.error(f"there is no placeholder {{{name}}} for item {item.id!r}")
    if set("{}") & set(_PLACEHOLDER.sub("", template)):
        raise place.error("a brace stands only around a placeholder")
    return used
