"""Filling a department's request: a closed list of placeholders, checked when the file is read.

A parameter the question does not carry leaves its member out (JSON, form, query, header) or is empty (XML).
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from connectors.contract import Question
from connectors.paths import MISSING
from connectors.route import Place
from connectors.trouble import DepartmentError
from policies.vocabulary import Item, Organisation, Outcome, SubjectKind

_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_.]+)\}")
_QUESTION: Final = frozenset({"call", "requester", "operator", "matter", "case", "consent"})
_PERSON: Final = frozenset({"person.name", "person.id_number"})
_ORGANISATION: Final = frozenset({"organisation.name", "organisation.uscc"})
_OTHER: Final = frozenset({"other.name", "other.id_number"})
"""The second person of a joint item."""
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_PLAIN_XML: Final = re.compile(f"[&<>\"']|{_NOT_XML.pattern}")
_QUOTES: Final = {'"': "&quot;", "'": "&apos;"}
_DEEPEST: Final = 20


def placeholders(template: Any, item: Item, place: Place, further: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the placeholders used anywhere in the template. Raise ConfigurationError for one not on the list.

    `further` are those that only this kind of route knows.
    """
    if isinstance(template, str):
        return _placeholders_of_text(template, item, place, further)
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
    return frozenset().union(*(placeholders(child, item, place.at(step), further) for step, child in children))


def names_person(used: frozenset[str]) -> bool:
    """Whether any of the placeholders tells who is asked about."""
    return bool(used & (_PERSON | _ORGANISATION | _OTHER))


def number_of(item: Item) -> str:
    """The placeholder of the number by which a department tells whom this item is about."""
    return "organisation.uscc" if item.about is SubjectKind.ORGANISATION else "person.id_number"


def values(question: Question, now_ms: int) -> Mapping[str, str]:
    """Return what each placeholder stands for in this call; parameters that the question does not carry are missing."""
    filling = {name: getattr(question, name) for name in _QUESTION}
    filling["now_ms"] = str(now_ms)
    subject, other = question.subject, question.other
    if isinstance(subject, Organisation):
        filling |= {"organisation.name": subject.name, "organisation.uscc": subject.uscc}
    else:
        filling |= {"person.name": subject.name, "person.id_number": subject.id_number}
    if other is not None:
        filling |= {"other.name": other.name, "other.id_number": other.id_number}
    for name, value in question.params.items():
        filling[f"param.{name}"] = value
    return filling


def fill(template: Any, filling: Mapping[str, str]) -> Any:
    """Return a JSON, form, query or header template with its members filled, those without a value left out.

    MISSING for a text without a value.
    """
    if isinstance(template, str):
        return _substituted(template, filling)
    if isinstance(template, dict):
        filled = [(name, fill(child, filling)) for name, child in template.items()]
        return {name: content for name, content in filled if content is not MISSING}
    if isinstance(template, list):
        return [content for child in template if (content := fill(child, filling)) is not MISSING]
    return template


def fill_xml(template: str, filling: Mapping[str, str]) -> str:
    """Return an XML template with every value escaped for text and attributes alike."""
    parts = list(_parts(template))
    parts[1::2] = [_escaped(filling.get(name, "")) for name in parts[1::2]]
    return "".join(parts)


def _substituted(template: str, filling: Mapping[str, str]) -> Any:
    alone = _alone(template)
    if alone:
        return filling.get(alone, MISSING)
    parts = list(_parts(template))
    try:
        parts[1::2] = [filling[name] for name in parts[1::2]]
    except KeyError:
        return MISSING
    return "".join(parts)


@cache  # as many as routes files hold; nothing of a question comes here
def _alone(template: str) -> str:
    """The name of the one placeholder that is the whole template; else nothing."""
    found = _PLACEHOLDER.fullmatch(template)
    return found[1] if found is not None else ""


@cache
def _parts(template: str) -> Sequence[str]:
    """The texts around the placeholders, and between each two of them the placeholder's name."""
    return _PLACEHOLDER.split(template)


def _escaped(value: str) -> str:
    if not _NO_PLAIN_XML.search(value):
        return value
    if _NOT_XML.search(value):
        raise DepartmentError(Outcome.BAD_REQUEST, "not_writable_in_xml")
    return escape(value, _QUOTES)


def _placeholders_of_text(template: str, item: Item, place: Place, further: frozenset[str]) -> frozenset[str]:
    used = frozenset(_PLACEHOLDER.findall(template))
    others = _OTHER if item.joint else frozenset()
    subject = _ORGANISATION if item.about is SubjectKind.ORGANISATION else _PERSON
    permitted = _QUESTION | subject | others | {"now_ms"} | further | {f"param.{name}" for name in item.parameters}
    for name in sorted(used - permitted):
        raise place.error(f"there is no placeholder {{{name}}} for item {item.id!r}")
    if set("{}") & set(_PLACEHOLDER.sub("", template)):
        raise place.error("a brace stands only around a placeholder")
    return used
