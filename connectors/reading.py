"""From the bytes a department sent to its rows, or to one word saying why there are none.

"No such record" needs the department to say so in one of its configured ways, or an empty list where the list stands.
An answer that lacks its list, contradicts itself or is somebody's error page is garbled, never "no record".
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec

from connectors.codes import FAMILIES, Family, Meaning
from connectors.documents import Stuck, read_json
from connectors.markup import read_xml
from connectors.paths import MISSING, Path, look, path
from connectors.records import Reply
from connectors.trouble import DepartmentError, garbled
from connectors.values import as_text, moment
from policies.vocabulary import Outcome

T = TypeVar("T")

SAYABLE: Final = frozenset(Outcome) - {
    Outcome.MATCH,
    Outcome.MISMATCH,
    Outcome.FOUND,
    Outcome.PENDING,
    Outcome.WITHHELD,
}
"""What a department's code may be taken to mean; the rest is only ours to conclude."""

_HTML: Final = re.compile(
    r"(?:<\?xml[^>]*>|(?><!--.*?-->)|\s)*+<(?:html|head|body|!doctype\s+html)\b", re.IGNORECASE | re.DOTALL
)
"""Atomic and possessive: a page of comments must not be tried in every way they could end."""
_STRINGS_IN_STRINGS: Final = 3
_NOTHING: Final = frozenset({"", "null", "[]", "{}"})
_LONG: Final = 1 << 16
"""Bytes."""


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the truth stands while HTTP says 200; an unlisted code is garbled."""

    at: str
    success: Annotated[tuple[str | int | bool, ...], msgspec.Meta(min_length=1)]
    """A number, a boolean and the text that spells it are one value here: departments send both by turns."""
    codes: dict[str, Outcome] = {}
    family: Family = ""

    def succeeded(self, code: str) -> bool:
        return any(code == as_text(value) for value in self.success)

    def meaning(self, code: str) -> Meaning:
        """Return what a code other than success means."""
        if code in self.codes:
            return Meaning(self.codes[code])
        return FAMILIES[self.family].get(code, Meaning(Outcome.GARBLED))


class NoRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Further ways in which this department says that it has no such record."""

    message_at: str = ""
    messages: tuple[str, ...] = ()
    count_at: str = ""


class AnswerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one department wraps its records."""

    format: Literal["json", "xml"]
    status: Status
    list_at: str
    """Where the records stand: a list, or one record alone; empty for the whole answer."""
    charset: Literal["utf-8", "gb18030", "utf-8-or-gb18030"] = "utf-8"
    """What they really send, whatever their header says; the last for those that send both by turns."""
    json_strings: tuple[str, ...] = ()
    """Paths where a string holds a further JSON document, itself perhaps in a string once more."""
    stuck: Stuck = "refuse"
    """What several documents in a row, `{}{}`, mean: nothing, the first, the last, or a list of them."""
    no_record: NoRecord = NoRecord()
    as_of_at: str = ""
    request_id_at: str = ""


async def read_aside(read: Callable[[], T], size: int) -> T:
    """Return what it reads; of a long answer in a thread, so that reading it holds up nobody else's."""
    return read() if size < _LONG else await asyncio.to_thread(read)


def read_reply(form: AnswerForm, body: bytes, answered: datetime) -> Reply:
    """Return the department's rows and its own code. Raises DepartmentError, its own refusals included."""
    tree = _tree(form, body)
    code = _required_text(tree, form.status.at, "status_missing")
    request_id = _optional_text(tree, form.request_id_at)
    meaning = None if form.status.succeeded(code) else form.status.meaning(code)
    if meaning is not None and meaning.outcome is not Outcome.NO_RECORD:
        raise DepartmentError(meaning.outcome, code, request_id, wait=meaning.wait)
    rows = _rows(form, tree, none_said=meaning is not None or _says_none(form.no_record, tree))
    as_of = _optional_text(tree, form.as_of_at)
    return Reply(rows, moment(as_of) if as_of else answered, request_id, code)


def _tree(form: AnswerForm, body: bytes) -> Any:
    text = _decoded(form.charset, body).removeprefix("\ufeff").strip()
    if not text:
        raise garbled("empty_body")
    if text[0] == "<" and _HTML.match(text):
        raise garbled("html_page")
    if form.format == "xml":
        return read_xml(text)
    tree = read_json(text, form.stuck)
    for dotted in form.json_strings:
        _open_string(tree, path(dotted), form.stuck)
    return tree


def _decoded(charset: str, body: bytes) -> str:
    for name in charset.split("-or-"):
        try:
            return body.decode(name)
        except UnicodeDecodeError:
            continue
    raise garbled("charset")


def _open_string(tree: Any, steps: Path, stuck: Stuck) -> None:
    holder = look(tree, steps[:-1])
    for _ in range(_STRINGS_IN_STRINGS):
        if not isinstance(holder, dict) or not isinstance(holder.get(steps[-1]), str):
            return
        content = holder[steps[-1]].strip()
        holder[steps[-1]] = None if content in {"", "null"} else read_json(content, stuck)


def _rows(form: AnswerForm, tree: Any, *, none_said: bool) -> list[Mapping[str, Any]]:
    found = _list(form, tree)
    rows = found if isinstance(found, list) else []
    if none_said and rows:
        raise garbled("no_record_with_records")
    if none_said:
        return []
    if found is MISSING:
        raise garbled("list_missing")
    count = _optional_text(tree, form.no_record.count_at)
    if not rows and count not in {"", "0"}:
        raise garbled("count_without_records")
    if not all(isinstance(row, Mapping) for row in rows):
        raise garbled("record_is_no_object")
    return rows


def _list(form: AnswerForm, tree: Any) -> Any:
    """Return a list (one element is a list of one, an empty spelling of nothing a list of none), or MISSING."""
    steps = path(form.list_at)
    found = look(tree, steps)
    if found is MISSING and form.format == "xml" and look(tree, steps[:-1]) is not MISSING:
        return []  # XML has no other way to write an empty list than to leave its elements out
    if found is MISSING or isinstance(found, list):
        return found
    if found is None or found == {} or (isinstance(found, str) and found.strip() in _NOTHING):
        return []
    return [found]


def _says_none(rule: NoRecord, tree: Any) -> bool:
    message = _optional_text(tree, rule.message_at)
    return (message != "" and message in rule.messages) or _optional_text(tree, rule.count_at) == "0"


def _required_text(tree: Any, dotted: str, rule: str) -> str:
    text = _optional_text(tree, dotted)
    if not text:
        raise garbled(rule)
    return text


def _optional_text(tree: Any, dotted: str) -> str:
    found = look(tree, path(dotted)) if dotted else None
    if found is MISSING or found is None:
        return ""
    return (as_text(found) or "").strip()
