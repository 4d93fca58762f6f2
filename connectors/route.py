"""What every route says of itself whatever its kind, and how a mistake in it is told with file and line."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import msgspec

from connectors.limits import Limits
from connectors.records import RecordForm
from connectors.values import FITTING, Column
from policies.strict_yaml import ConfigurationError, Located
from policies.vocabulary import Field, FieldKind, Item, SubjectKind

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=60)]


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """One way to one department's item."""

    reads_only: ClassVar[bool] = False
    """Whether asking twice is asking once: only then may a question be sent once more."""

    name: Name
    level: Literal["", "city", "province", "national"] = ""
    """Whose interface it is, for whoever watches."""
    deadline_seconds: Seconds
    """For everything: waiting for a free place, connecting, reading, translating."""
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    records: RecordForm
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file something stands."""

    located: Located
    steps: tuple[str | int, ...] = ()

    def at(self, *steps: str | int) -> "Place":
        return Place(self.located, self.steps + steps)

    def error(self, message: str) -> ConfigurationError:
        """Return the mistake, told with file and line."""
        return self.located.error(message, *self.steps)


def check_records(form: RecordForm, item: Item, place: Place) -> None:
    """Refuse a form that does not yield exactly the catalogue's fields of this item in their kinds."""
    _check_subject(form, item, place)
    fields = place.at("fields")
    for name in item.fields:
        if name not in form.fields:
            raise fields.error(f"field {name!r} of item {item.id!r} is not mapped")
    for name, column in form.fields.items():
        if name not in item.fields:
            raise fields.at(name).error(f"item {item.id!r} has no field {name!r}")
        _check_column(column, item.fields[name], fields.at(name))


def _check_subject(form: RecordForm, item: Item, place: Place) -> None:
    mine, others = ("organisation", "person") if item.about is SubjectKind.ORGANISATION else ("person", "organisation")
    if not getattr(form, mine):
        raise place.error(f"`{mine}` says where a record carries the number of whom it is about; it is missing")
    for name in (others, f"{others}_name"):
        if getattr(form, name):
            raise place.at(name).error(f"item {item.id!r} is about {'an' if mine[0] == 'o' else 'a'} {mine}")


def _check_column(column: Column, field: Field, place: Place) -> None:
    if column.spelling not in FITTING[field.kind]:
        raise place.at("as").error(f"{column.spelling!r} cannot become a field of kind {field.kind.value!r}")
    if not column.source:
        raise place.at("from").error("the department's name of the field is empty")
    for code in column.codes.values():
        if field.kind is not FieldKind.CODE or (field.codes and code not in field.codes):
            raise place.at("codes").error(f"{code!r} is no code of field {field.id!r}")
    if (field.kind is FieldKind.FLAG) != bool(column.yes and column.no):
        raise place.error("a flag, and nothing else, needs its words for yes and for no")
    if set(column.yes) & set(column.no):
        raise place.at("no").error("one word cannot mean both yes and no")
