"""A department's front-end exchange database: one read view, exactly the asked columns, every call noted in its log."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import sqlalchemy

from connectors.contract import Answer, Question
from connectors.database_threads import DatabaseThreads
from connectors.databases import Access, check_url, open_engine
from connectors.identity import spellings
from connectors.records import RecordForm, Reply, answer
from connectors.route import Place, Route, check_records
from connectors.secret_files import Secret, read_secret
from connectors.values import as_text, moment
from policies.vocabulary import FieldKind, Item

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A condition that stands in the statement only where the question carries the parameter."""

    param: str
    column: Identifier
    compare: Literal["equal", "at_least", "at_most"]
    written: Literal["as_is", "compact_date"] = "as_is"


class CallLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The department's own table in which each call is noted before its data is read; it may be another database."""

    url: str
    table: Identifier
    call: Identifier
    requester: Identifier
    operator: Identifier
    matter: Identifier
    case: Identifier
    consent: Identifier


class SqlRoute(Route, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="sql"):
    """One way to a department's item in a database it fills for others; columns are the records' sources."""

    reads_only: ClassVar[bool] = True

    url: str
    """An SQLAlchemy URL without a password: sqlite, postgresql+psycopg, mysql+pymysql and the like."""
    secret: str = ""
    view: Identifier
    asked_number: Identifier
    """The column in which the asked subject's number is looked up; whose a record is, `records` checks."""
    as_of: Identifier
    """The column with the time of the batch a row came in."""
    conditions: tuple[Condition, ...] = ()
    call_log: CallLog


def check_sql(route: SqlRoute, item: Item, place: Place, secrets_folder: Path) -> Secret | None:
    """Return the databases' password, if they have one. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    check_url(route.url, place.at("url"))
    check_url(route.call_log.url, place.at("call_log", "url"))
    check_columns(route.records, place.at("records"))
    for index, condition in enumerate(route.conditions):
        _check_condition(condition, item, place.at("conditions", index))
    for name in item.parameters.keys() - {condition.param for condition in route.conditions}:
        raise place.error(f"parameter {name!r} has no condition: the department would return more than was agreed")
    return read_secret(secrets_folder, route.secret, place.at("secret")) if route.secret else None


def check_columns(records: RecordForm, place: Place) -> None:
    """Raise ConfigurationError where a record stands in what cannot be a column."""
    for name in records.beside:
        _check_column(name, place)
    for name, column in records.fields.items():
        _check_column(column.source, place.at("fields", name, "from"))


def _check_column(name: str, place: Place) -> None:
    try:
        msgspec.convert(name, Identifier)
    except msgspec.ValidationError:
        raise place.error(f"{name!r} is no column's name") from None


def _check_condition(condition: Condition, item: Item, place: Place) -> None:
    if condition.param not in item.parameters:
        raise place.at("param").error(f"item {item.id!r} has no parameter {condition.param!r}")
    if condition.written == "compact_date" and item.parameters[condition.param].kind is not FieldKind.DATE:
        raise place.at("written").error(f"parameter {condition.param!r} is no date")


class SqlConnector:
    """Asks in threads of its own, for each question first the log, then the view."""

    def __init__(self, route: SqlRoute, password: Secret | None, now: Callable[[], datetime]) -> None:
        self.route = route.name
        self._form = route
        self._now = now
        size, seconds = route.concurrency, route.deadline_seconds
        self._view = open_engine(route.url, password, Access(size, seconds, read_only=True))
        self._log = open_engine(route.call_log.url, password, Access(size, seconds, read_only=False))
        self._threads = DatabaseThreads(route.name, size, self._view, self._log)
        self._note = _note_statement(route.call_log)

    async def fetch(self, question: Question) -> Answer:
        """Ask once. Raises DepartmentError where there is no usable answer."""
        rows = await self._threads.run(lambda: self._ask(question))
        reply = Reply(rows, self._as_of(rows))
        return answer(self._form.records, question, self.route, reply)

    async def aclose(self) -> None:
        """Let go of the connections; a thread still waiting ends with its statement's own time limit."""
        self._threads.close()

    def _ask(self, question: Question) -> list[Mapping[str, Any]]:
        with self._log.begin() as connection:
            connection.execute(self._note, _noted(question))
        with self._view.connect() as connection:
            rows = connection.execute(select_statement(self._form, question)).mappings().fetchall()
        return [dict(row) for row in rows]

    def _as_of(self, rows: list[Mapping[str, Any]]) -> datetime:
        times = [moment(as_text(row[self._form.as_of]) or "") for row in rows]
        return min(times, default=self._now())


def select_statement(form: SqlRoute, question: Question) -> sqlalchemy.Select[Any]:
    """Exactly the asked columns, the person and the as-of time; one row more than is accepted, to notice too many."""
    records = form.records
    names = [records.fields[name].source for name in question.fields]
    names += [records.number_at, form.as_of, *records.beside]
    asked = sqlalchemy.column(form.asked_number).in_(spellings(question.subject.number))
    limits = [_limit(condition, question) for condition in form.conditions if condition.param in question.params]
    columns: list[sqlalchemy.ColumnElement[Any]] = [sqlalchemy.column(name) for name in dict.fromkeys(names)]
    return (
        sqlalchemy.select(*columns)
        .select_from(sqlalchemy.table(form.view))
        .where(asked, *limits)
        .limit(records.most + 1)
    )


def _limit(condition: Condition, question: Question) -> sqlalchemy.ColumnElement[bool]:
    value = question.params[condition.param]
    if condition.written == "compact_date":
        value = value.replace("-", "")
    column: sqlalchemy.ColumnClause[str] = sqlalchemy.column(condition.column)
    if condition.compare == "equal":
        return column == value
    return column >= value if condition.compare == "at_least" else column <= value


def _note_statement(log: CallLog) -> sqlalchemy.Insert:
    names = {member: getattr(log, member) for member in _NOTED}
    table = sqlalchemy.table(log.table, *(sqlalchemy.column(name) for name in names.values()))
    return sqlalchemy.insert(table).values(
        {name: sqlalchemy.bindparam(f"noted_{member}") for member, name in names.items()}
    )


_NOTED = ("call", "requester", "operator", "matter", "case", "consent")


def _noted(question: Question) -> dict[str, str]:
    return {f"noted_{member}": getattr(question, member) for member in _NOTED}
