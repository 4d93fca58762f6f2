"""From a department's rows to records of the asked fields: whose they are, which counts, how values are spelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec

from connectors.comparison import compare
from connectors.contract import Answer, Question
from connectors.identity import same_person
from connectors.paths import MISSING, leaves, look, path
from connectors.trouble import garbled
from connectors.values import Column, as_text, moment, translate
from policies.vocabulary import ItemKind, Outcome, Scalar


class RecordForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one department writes one record of this item."""

    person: Annotated[str, msgspec.Meta(min_length=1)]
    """Where a record carries the id number of the person it is about; there is no route without it."""
    fields: dict[str, Column]
    newest_by: str = ""
    """Keep only the record with the latest time here; empty keeps them all."""
    most: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50
    """More records than this about one person is no answer."""


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
    if not all(same_person(look(row, path(form.person)), question.person.id_number) for row in reply.rows):
        raise garbled("wrong_person")
    records = tuple(_record(form, question, row) for row in _picked(form, reply.rows))
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
    for name in question.fields:
        column = form.fields[name]
        written = look(row, path(column.source))
        written = None if written is MISSING and column.optional else _present(written)
        record[name] = translate(column, question.item.fields[name], written)
    return record


def _present(written: Any) -> Any:
    if written is MISSING:
        raise garbled("member_missing")
    return written
