"""A route put to the test without its department: a recorded answer through the real reading, checking and cutting.

Samples stand in the folder `samples` beside the routes file, one for each route, `<route>.yaml`: whom and what was
asked, what was sent, what came back, and what may leave this room. A new kind of route adds one function to
connectors/rehearsals.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.contract import Answer, Question
from connectors.enforcement import within_contract
from connectors.recorded import NotRecordedError, Recorded, Stage
from connectors.rehearsals import KINDS
from connectors.route import Route
from connectors.routes import RoutesFile
from connectors.trouble import DepartmentError
from policies.errors import ValueRefusedError
from policies.identifiers import made_up, made_up_firm, read_id_number, read_uscc
from policies.strict_yaml import Located, read_yaml
from policies.values import check_expect, check_params
from policies.vocabulary import Item, Organisation, Outcome, Person, Scalar, Subject, SubjectKind

FOLDER: Final = "samples"
_ASKING: Final[Any] = {
    "call": "dry-run-call",
    "requester": "dry-run-requester",
    "operator": "dry-run-operator",
    "matter": "dry-run-matter",
    "case": "DRY-RUN",
    "consent": "dry-run-consent",
}
"""What every recorded request carries in place of a real call's ids."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping in a sample whose members are all known."""


class SamplePerson(Row, frozen=True):
    name: str
    id_number: str


class SampleOrganisation(Row, frozen=True):
    name: str
    uscc: str


class Asked(Row, frozen=True):
    at: str
    """When, RFC 3339."""
    fields: tuple[str, ...] = ()
    """All of the item's where empty."""
    params: dict[str, str] = {}
    expect: dict[str, Scalar] = {}
    other: SamplePerson | None = None
    """Of a joint item, the second person."""
    person: SamplePerson | None = None
    organisation: SampleOrganisation | None = None
    """Whom the item is about: one of the two."""


class Leaves(Row, frozen=True):
    """What may leave this room, and how many values of the answer may not."""

    outcome: Outcome
    dropped: int = 0
    records: tuple[dict[str, Scalar], ...] = ()


class Sample(Row, frozen=True):
    asked: Asked
    sent: dict[str, Any]
    answered: Recorded
    leaves: Leaves


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One route's dry run. `differences` names what is not as the sample says; empty means that all is."""

    route: str
    sent: Mapping[str, Any]
    leaves: Leaves
    differences: tuple[str, ...]


def routes_of(routes_file: Path, item: str) -> Sequence[Route]:
    """The item's routes in their order; none where it has none. Raises ConfigurationError."""
    file, _ = read_yaml(routes_file, RoutesFile)
    return [route for entry in file.items if entry.item == item for route in entry.routes]


def sample_of(routes_file: Path, route: str) -> Path:
    """Where the route's sample stands or should stand."""
    return routes_file.parent / FOLDER / f"{route}.yaml"


def rehearse(route: Route, item: Item, file: Path) -> Rehearsal:
    """Put the sample through the route. Raises ConfigurationError, with file and line, for a sample that is none."""
    sample, located = read_yaml(file, Sample)
    stage = Stage(_question(sample.asked, item, located), sample.answered, _moment(sample.asked.at, located))
    leaves = _leaves(route, stage, located)
    pairs = (
        ("sent", stage.sent, sample.sent),
        ("outcome", leaves.outcome, sample.leaves.outcome),
        ("dropped", leaves.dropped, sample.leaves.dropped),
        ("records", leaves.records, sample.leaves.records),
    )
    differences = tuple(name for name, is_, says in pairs if not _same(is_, says))
    return Rehearsal(route.name, stage.sent, leaves, differences)


def _leaves(route: Route, stage: Stage, located: Located) -> Leaves:
    play = KINDS.get(type(route))
    if play is None:
        raise located.error(f"routes of the kind of {route.name!r} have no dry run yet")
    try:
        answered = play(route, stage)
    except DepartmentError as error:
        answered = Answer(error.outcome, route.name, stage.at, raw_code=error.code)
    except NotRecordedError as error:
        raise located.error(str(error), "answered") from error
    within = within_contract(answered, route.name, stage.question, stage.at)
    return Leaves(within.outcome, within.dropped, tuple(dict(record) for record in within.records))


def _question(asked: Asked, item: Item, located: Located) -> Question:
    fields = asked.fields or tuple(item.fields)
    for index, name in enumerate(asked.fields):
        if name not in item.fields:
            raise located.error("the item has no such field", "asked", "fields", index)
    try:
        params = check_params(item, asked.params)
        expect = check_expect(item, fields, asked.expect)
    except ValueRefusedError as error:
        raise located.error(str(error), "asked", *error.member.split(".")) from error
    other = _person(asked.other, located) if asked.other is not None else None
    subject = _subject(asked, item, located)
    return Question(item=item, fields=fields, params=params, expect=expect, subject=subject, other=other, **_ASKING)


def _subject(asked: Asked, item: Item, located: Located) -> Subject:
    of_organisation = item.about is SubjectKind.ORGANISATION
    if of_organisation and asked.organisation is not None and asked.person is None:
        return _organisation(asked.organisation, located)
    if not of_organisation and asked.person is not None and asked.organisation is None:
        return _person(asked.person, located)
    raise located.error(f"the item is about a subject of another sort: {item.about}", "asked")


def _organisation(asked: SampleOrganisation, located: Located) -> Organisation:
    try:
        code = read_uscc(asked.uscc)
    except ValueError as error:
        raise located.error(str(error), "asked", "organisation", "uscc") from error
    if not made_up_firm(code):
        raise located.error("a sample is about a firm made up: 321099", "asked", "organisation", "uscc")
    return Organisation(asked.name, code)


def _person(asked: SamplePerson, located: Located) -> Person:
    try:
        number = read_id_number(asked.id_number)
    except ValueError as error:
        raise located.error(str(error), "asked", "person", "id_number") from error
    if not made_up(number):
        raise located.error("a sample is about somebody made up: 321099", "asked", "person", "id_number")
    return Person(asked.name, number)


def _moment(written: str, located: Located) -> datetime:
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except ValueError as error:
        raise located.error("not a time", "asked", "at") from error


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and true are different."""
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")


def missing_samples(routes_file: Path) -> list[str]:
    """The routes without a recorded sample. Raises ConfigurationError where the file is none."""
    file, _ = read_yaml(routes_file, RoutesFile)
    names = (route.name for entry in file.items for route in entry.routes)
    return [name for name in names if not sample_of(routes_file, name).is_file()]
