"""From a department's rows to records of the asked fields: whose they are, which counts, how values are spelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec

from connectors.comparison import compare
from connectors.contract import Answer, Question
from connectors.identity import same_name, same_number
from connectors.paths import MISSING, leaves, look, path
from connectors.trouble import garbled
from connectors.values import Column, as_text, moment, translate
from policies.vocabulary import ItemKind, Outcome, Scalar


class RecordForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one department writes one record of this item."""

    fields: dict[str, Column]
    person: str = ""
    """Where a record carries the id number of the person it is about; there is no route about people without it."""
    organisation: str = ""
    """The same of an item about organisations: where a record carries the unified social credit code."""
    person_name: str = ""
    """Where a record carries that person's name, if it does; a record without it is somebody else's."""
    organisation_name: str = ""
    other: str = ""
    """Of a joint item: where a record carries the second person's id number, if it does."""
    key: tuple[str, ...] = ()
    """What tells one record from another. Records equal in all of it are one sent twice; two that differ elsewhere
    are no answer. Empty: every record counts."""
    newest_by: str = ""
    """Keep only the record with the latest time here; empty keeps them all."""
    most: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50
    """More records than this about one person is no answer."""

    @property
    def beside(self) -> tuple[str, ...]:
        """Where everything is that is read of a record beside its fields."""
        return (self.number_at, *self.key, *filter(None, (self.name_at, self.other, self.newest_by)))

    @property
    def number_at(self) -> str:
        """Where a record carries the number of whom it is about."""
        return self.person or self.organisation

    @property
    def name_at(self) -> str:
        return self.person_name or self.organisation_name


@dataclass(frozen=True, slots=True)
class Reply:
    """What a department said, unwrapped from its envelope but still in its own spelling."""

    rows: Sequence[Mapping[str, Any]] = field(repr=False)
    as_of: datetime
    department_request: str = ""
    raw_code: str = ""


def answer(form: RecordForm, question: Question, route: str, reply: Reply) -> Answer:
    """Return the reply cut to the asked fields, or compared. Raise DepartmentError if any part is not to be trusted."""
    if len(reply.rows) > form.most:
        raise garbled("too_many_records")
    if not all(_about(form, question, row) for row in reply.rows):
        raise garbled("wrong_person")
    records = tuple(_record(form, question, row) for row in _picked(form, _each_once(form, reply.rows)))
    outcome = _outcome(question, records)
    released = records if outcome is Outcome.FOUND else ()
    return Answer(
        outcome=outcome,
        route=route,
        as_of=reply.as_of,
        records=released,
        dropped=leaves(list(reply.rows)) - sum(len(record) for record in released),
        department_request=reply.department_request,
        raw_code=reply.raw_code,
    )


def _about(form: RecordForm, question: Question, row: Mapping[str, Any]) -> bool:
    subject = question.subject
    named = not form.name_at or same_name(look(row, path(form.name_at)), subject.name)
    other = question.other
    paired = not form.other or (other is not None and same_number(look(row, path(form.other)), other.id_number))
    return named and paired and same_number(look(row, path(form.number_at)), subject.number)


def _each_once(form: RecordForm, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if not form.key:
        return rows
    once: dict[tuple[str | None, ...], Mapping[str, Any]] = {}
    for row in rows:
        key = tuple([as_text(_present(look(row, path(part)))) for part in form.key])
        first = once.setdefault(key, row)
        if first is not row and _content(first) != _content(row):
            raise garbled("contradicting_records")
    return list(once.values())


def _content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("@")}  # XML numbers its records


def _outcome(question: Question, records: Sequence[Mapping[str, Scalar]]) -> Outcome:
    if question.item.kind is ItemKind.VERIFY:
        return compare(records, question.fields, question.expect)
    return Outcome.FOUND if records else Outcome.NO_RECORD


def _picked(form: RecordForm, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if not form.newest_by or len(rows) <= 1:
        return rows
    steps = path(form.newest_by)
    times = [moment(as_text(_present(look(row, steps))) or "") for row in rows]
    latest = max(times)
    if times.count(latest) > 1:
        raise garbled("two_newest_records")
    return [rows[times.index(latest)]]


def _record(form: RecordForm, question: Question, row: Mapping[str, Any]) -> dict[str, Scalar]:
    record: dict[str, Scalar] = {}
    columns, fields = form.fields, question.item.fields
    for name in question.fields:
        column = columns[name]
        written = look(row, path(column.source))
        if written is MISSING:
            written = None if column.optional else _present(written)
        record[name] = translate(column, fields[name], written)
    return record


def _present(written: Any) -> Any:
    if written is MISSING:
        raise garbled("member_missing")
    return written
