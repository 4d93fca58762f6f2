"""An application as it is filed, by the requester's side or by the steward from paper; what of it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from consent.inquiries import read_text
from policies.catalogue import Catalogue
from policies.identifiers import numbers_in, read_identifier
from policies.refusals import Code, Refused

TEXT_LIMIT: Final = 1000
NEEDED: Final = ("basis", "scenario", "scope", "way", "time")
"""What the Regulation on the sharing of government data (State Council Decree 809) wants an application to state."""


@dataclass(frozen=True, slots=True)
class Application:
    """What is applied for, and why. A text that is empty is missing."""

    requester: str
    item: str
    """Of the catalogue, or the name of one that is not there yet."""
    fields: tuple[str, ...]
    basis: str
    """The statute or duty on which the requester asks."""
    scenario: str
    scope: str
    way: str
    time: str

    @property
    def missing(self) -> list[str]:
        return [name for name in (*NEEDED, "fields") if not getattr(self, name)]

    def stored(self) -> dict[str, Any]:
        """What its row keeps as one."""
        return asdict(self)


def read_application(given: Mapping[str, Any]) -> Application:
    """From a form's fields or a file's members. Raises Refused(invalid_request) naming the member, never a value.

    It is about kinds of data: an application that names a person by number is not taken.
    """
    names = ("requester", "item", "fields", *NEEDED)
    if unknown := given.keys() - set(names):
        raise Refused(Code.INVALID_REQUEST, member=min(unknown))
    texts = {name: _text(given.get(name, ""), name) for name in NEEDED}
    fields = given.get("fields", [])
    words = fields.split() if isinstance(fields, str) else fields
    if not isinstance(words, list):
        raise Refused(Code.INVALID_REQUEST, member="fields")
    return Application(
        requester=_identifier(given.get("requester", ""), "requester"),
        item=_identifier(given.get("item", ""), "item"),
        fields=tuple(dict.fromkeys(_identifier(word, "fields") for word in words)),
        **texts,
    )


def department_of(catalogue: Catalogue, application: Application, named: str) -> str:
    """Whose item it is: the catalogue's word, else the one named. Raises Refused(invalid_request)."""
    known = catalogue.items.get(application.item)
    department = known.department if known is not None else named
    if department not in catalogue.departments or (named and named != department):
        raise Refused(Code.INVALID_REQUEST, member="department")
    return department


def is_unconditional(catalogue: Catalogue, application: Application) -> bool:
    """Whether the item is one that its department shares without condition, and every field is one of it."""
    known = catalogue.items.get(application.item)
    if known is None or known.sharing != "unconditional":
        return False
    return _within(application.fields, list(known.fields))


def _within(fields: Sequence[str], known: Sequence[str]) -> bool:
    return set(fields) <= set(known)


def _identifier(given: Any, member: str) -> str:
    try:
        return read_identifier(given if isinstance(given, str) else "", range(1, 65))
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=member) from error


def _text(given: Any, member: str) -> str:
    if not isinstance(given, str):
        raise Refused(Code.INVALID_REQUEST, member=member)
    if not given.strip():
        return ""
    try:
        text = read_text(given, TEXT_LIMIT)
    except ValueError as error:
        raise Refused(Code.INVALID_REQUEST, member=member) from error
    if numbers_in(text):
        raise Refused(Code.INVALID_REQUEST, member=member)
    return text
