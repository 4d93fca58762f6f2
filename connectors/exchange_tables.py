"""A department's front-end exchange database with a request table and a result table: asked by a row, answered by rows.

The request row carries our own number, who asks and why; its status goes 0 (new), 1 (taken), 2 (done) or 9 (failed).
Results are found by our number alone. What is not done within the deadline stays pending, where the route says `late`;
else it is a timeout.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy

from connectors.contract import Answer, Question, Ticket
from connectors.database_threads import DatabaseThreads
from connectors.databases import Access, check_url, open_engine
from connectors.patience import Patience, left_pending
from connectors.records import Reply, answer
from connectors.route import Place, Route, check_records
from connectors.secret_files import Secret, read_secret
from connectors.sql import Identifier, check_columns
from connectors.status_checks import check_meanings
from connectors.templates import fill, number_of, placeholders, values
from connectors.trouble import DepartmentError, garbled
from connectors.values import as_text, moment
from policies.vocabulary import Item, Outcome

T = TypeVar("T")

NEW: Final = "0"
TAKEN: Final = "1"
DONE: Final = "2"
FAILED: Final = "9"
_LOOK_EVERY: Final = 0.2
_SHARE: Final = 0.75
"""Of the deadline: how long to look before the question is left pending."""


class RequestTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a question is put. `columns` are filled like a request's members; the status begins as 0."""

    table: Identifier
    number: Identifier
    """The column of our own number of the question; it is unique there."""
    status: Identifier
    code: Identifier
    """The column in which a failed row says why."""
    columns: dict[Identifier, str]
    codes: Mapping[str, Outcome] = msgspec.field(default_factory=dict)


class ResultTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the answer stands; the records' sources are its columns."""

    table: Identifier
    number: Identifier
    as_of: Identifier


class TablesRoute(Route, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="sql_tables"):
    """One way to a department's item through two tables."""

    url: str
    """An SQLAlchemy URL without a password: sqlite, postgresql+psycopg, mysql+pymysql and the like."""
    secret: str = ""
    requests: RequestTable
    results: ResultTable
    late: Patience | None = None


def check_tables(route: TablesRoute, item: Item, place: Place, secrets_folder: Path) -> Secret | None:
    """Return the database's password, if it has one. Raises ConfigurationError for whatever does not add up."""
    check_records(route.records, item, place.at("records"))
    check_url(route.url, place.at("url"))
    check_columns(route.records, place.at("records"))
    _check_requests(route.requests, item, place.at("requests"))
    return read_secret(secrets_folder, route.secret, place.at("secret")) if route.secret else None


def _check_requests(form: RequestTable, item: Item, place: Place) -> None:
    used = placeholders(dict(form.columns), item, place.at("columns"))
    if (number := number_of(item)) not in used:
        raise place.at("columns").error(f"the row never names {{{number}}}: whose records would come back?")
    for name in item.parameters:
        if f"param.{name}" not in used:
            raise place.error(f"parameter {name!r} is not sent: the department would return more than was agreed")
    for name in ("requester", "operator", "matter", "case", "consent"):
        if name not in used:
            raise place.at("columns").error(f"the row never says {{{name}}}: the department could not check who asks")
    if {form.number, form.status, form.code} & form.columns.keys():
        raise place.at("columns").error("number, status and code are filled by this kind itself")
    check_meanings(form.codes, place.at("codes"))


class TablesConnector:
    """Asks in threads of its own, as many as the route's concurrency; between looks it holds no connection."""

    calls_again = True

    def __init__(self, route: TablesRoute, password: Secret | None, now: Callable[[], datetime]) -> None:
        self.route = route.name
        self._form = route
        self._now = now
        access = Access(route.concurrency, route.deadline_seconds, read_only=False)
        self._engine = open_engine(route.url, password, access)
        self._threads = DatabaseThreads(route.name, route.concurrency, self._engine)

    async def fetch(self, question: Question) -> Answer:
        """Put the question and look for its answer. Raises DepartmentError where there is no usable one."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._form.deadline_seconds * _SHARE
        await self._run(lambda connection: put(self._form, connection, question, self._now()))
        while True:
            reply = await self._looked(question)
            if reply is not None:
                return answer(self._form.records, question, self.route, reply)
            if loop.time() + _LOOK_EVERY >= until:
                break
            await asyncio.sleep(_LOOK_EVERY)
        if self._form.late is None:
            raise DepartmentError(Outcome.TIMEOUT, "row_not_done")
        return left_pending(self.route, self._form.late, question.call, self._now())

    async def carry_on(self, question: Question, ticket: Ticket) -> Answer:
        """Look once more for the row that was put; its number is the question's own."""
        del ticket
        reply = await self._looked(question)
        if reply is None:
            assert self._form.late is not None
            return left_pending(self.route, self._form.late, question.call, self._now())
        return answer(self._form.records, question, self.route, reply)

    async def aclose(self) -> None:
        """Let go of the pool without waiting; a thread still waiting ends with its statement's own time limit."""
        self._threads.close()

    async def _looked(self, question: Question) -> Reply | None:
        return await self._run(lambda connection: look(self._form, connection, question, self._now()))

    async def _run(self, work: Callable[[sqlalchemy.Connection], T]) -> T:
        return await self._threads.run(lambda: self._within(work))

    def _within(self, work: Callable[[sqlalchemy.Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)


def put(route: TablesRoute, connection: sqlalchemy.Connection, question: Question, now: datetime) -> None:
    """Write the request row, as a new one."""
    form = route.requests
    filling = values(question, int(now.timestamp() * 1000))
    row = {**fill(dict(form.columns), filling), form.number: question.call, form.status: NEW}
    table = sqlalchemy.table(form.table, *(sqlalchemy.column(name) for name in row))
    connection.execute(sqlalchemy.insert(table).values(row))


def look(route: TablesRoute, connection: sqlalchemy.Connection, question: Question, now: datetime) -> Reply | None:
    """Return the reply once the row is done, None while it is new or taken. Raises DepartmentError for a failed one."""
    state, said = _state(route.requests, connection, question)
    if state in {NEW, TAKEN}:
        return None
    if state not in {DONE, FAILED}:
        raise garbled("unknown_row_status")
    rows = _results(route, connection, question) if state == DONE else []
    if rows:
        return Reply(rows, min(moment(as_text(row[route.results.as_of]) or "") for row in rows))
    # done without a row, written under somebody else's number or never: "no record" is for the code to say
    outcome = route.requests.codes.get(said, Outcome.GARBLED)
    if outcome is not Outcome.NO_RECORD:
        raise DepartmentError(outcome, said)
    return Reply([], now, raw_code=said)


def _state(form: RequestTable, connection: sqlalchemy.Connection, question: Question) -> tuple[str, str]:
    """The row's status and code."""
    columns: list[sqlalchemy.ColumnElement[Any]] = [sqlalchemy.column(form.status), sqlalchemy.column(form.code)]
    found = connection.execute(
        sqlalchemy.select(*columns)
        .select_from(sqlalchemy.table(form.table))
        .where(sqlalchemy.column(form.number) == question.call)
    ).one_or_none()
    if found is None:
        raise garbled("row_gone")
    status, code = found
    return as_text(status) or "", as_text(code) or ""


def _results(route: TablesRoute, connection: sqlalchemy.Connection, question: Question) -> list[Mapping[str, Any]]:
    records, form = route.records, route.results
    names = [records.fields[name].source for name in question.fields]
    names += [records.number_at, form.as_of, *records.beside]
    columns: list[sqlalchemy.ColumnElement[Any]] = [sqlalchemy.column(name) for name in dict.fromkeys(names)]
    statement = (
        sqlalchemy.select(*columns)
        .select_from(sqlalchemy.table(form.table))
        .where(sqlalchemy.column(form.number) == question.call)
        .limit(records.most + 1)
    )
    return [dict(row) for row in connection.execute(statement).mappings()]
