"""Each kind of route on the stage of a dry run: its own asking, reading, checking and cutting, of a recorded answer."""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import sqlalchemy
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import SQLAlchemyError

from connectors.contract import Answer
from connectors.exchange_tables import TablesRoute, look, put
from connectors.files import FilesConnector, FilesRoute
from connectors.http import HttpConnector, HttpRoute
from connectors.manual import ManualConnector, ManualRoute, Said, Typed
from connectors.memory import OwnMemory
from connectors.push import PushConnector, PushRoute
from connectors.recorded import (
    ONLY,
    NotRecordedError,
    RecordedDrop,
    RecordedTransport,
    Stage,
    carried_through,
    finished,
)
from connectors.records import Reply, answer
from connectors.route import Route
from connectors.secret_files import Secret
from connectors.soap import SoapConnector, SoapRoute
from connectors.sql import SqlRoute, select_statement
from connectors.tickets import TicketConnector, TicketRoute
from connectors.trouble import garbled
from connectors.values import as_text, moment

_NO_SECRET: Final = Secret("a-secret-stands-here")
_STAFF: Final = "dry-run-staff"


def _http(route: HttpRoute, stage: Stage) -> Answer:
    connector = HttpConnector(route, None, RecordedTransport(stage, ONLY), stage.now)
    return finished(connector.fetch(stage.question))


def _soap(route: SoapRoute, stage: Stage) -> Answer:
    connector = SoapConnector(route, _NO_SECRET, RecordedTransport(stage, ONLY), stage.now)
    return finished(connector.fetch(stage.question))


def _sql(route: SqlRoute, stage: Stage) -> Answer:
    selected = select_statement(route, stage.question)
    statement = selected.compile(dialect=DefaultDialect())
    columns = {column.name for column in selected.selected_columns}
    stage.sent["statement"] = " ".join(str(statement).split())
    stage.sent["values"] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in statement.params.items()
    }
    # what was not selected never comes
    rows = [{name: value for name, value in row.items() if name in columns} for row in stage.recorded.rows]
    times = [moment(as_text(row[route.as_of]) or "") for row in rows]
    return answer(route.records, stage.question, route.name, Reply(rows, min(times, default=stage.at)))


def _tables(route: TablesRoute, stage: Stage) -> Answer:
    """In two tables of a scratch database, which hold the recorded columns and no other."""
    engine = sqlalchemy.create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            requests = _scratch(connection, route.requests.table, _columns_asked(route))
            put(route, connection, stage.question, stage.at)
            (row,) = connection.execute(sqlalchemy.select(requests)).mappings().all()
            stage.sent.update({"table": route.requests.table, "row": dict(row)})
            _answer_in_tables(route, requests, stage, connection)
            reply = look(route, connection, stage.question, stage.at)
    except SQLAlchemyError:
        raise garbled("scratch_database") from None
    finally:
        engine.dispose()
    if reply is None:
        raise NotRecordedError("status")
    return answer(route.records, stage.question, route.name, reply)


def _columns_asked(route: TablesRoute) -> list[str]:
    form = route.requests
    return [form.number, form.status, form.code, *form.columns]


def _scratch(connection: sqlalchemy.Connection, name: str, columns: list[str]) -> sqlalchemy.Table:
    table = sqlalchemy.Table(name, sqlalchemy.MetaData(), *(sqlalchemy.Column(one, sqlalchemy.Text) for one in columns))
    table.create(connection)
    return table


def _answer_in_tables(
    route: TablesRoute, requests: sqlalchemy.Table, stage: Stage, connection: sqlalchemy.Connection
) -> None:
    """As the department's own worker does."""
    recorded = stage.recorded
    ended = {route.requests.status: recorded.status, route.requests.code: recorded.code}
    connection.execute(sqlalchemy.update(requests).values(ended))
    columns = dict.fromkeys([route.results.number, *(name for row in recorded.rows for name in row)])
    results = _scratch(connection, route.results.table, list(columns))
    for row in recorded.rows:
        connection.execute(sqlalchemy.insert(results).values(row))


def _files(route: FilesRoute, stage: Stage) -> Answer:
    drop = RecordedDrop(stage, route.charset, route.marker)
    connector = FilesConnector(route, drop, OwnMemory(stage.at.timestamp), stage.now)
    return carried_through(connector, stage.question)


def _ticket(route: TicketRoute, stage: Stage) -> Answer:
    steps = ("submit", "poll", *(["confirm"] if route.confirm is not None else []), "collect")
    connector = TicketConnector(route, RecordedTransport(stage, *steps), stage.now)
    return carried_through(connector, stage.question)


def _push(route: PushRoute, stage: Stage) -> Answer:
    """All but the signature: the secret it is made with is no part of a sample."""
    connector = PushConnector(route, stage.question.item, _NO_SECRET, RecordedTransport(stage, "submit"), stage.now)
    finished(connector.fetch(stage.question))
    if "pushed" not in stage.recorded.replies:
        raise NotRecordedError("pushed")
    pushed = connector.pushed_in(stage.recorded.replies["pushed"].encode())
    if pushed is None or pushed.question != stage.question.call:
        raise garbled("not_our_question")
    return connector.answer_in(pushed, stage.question)


def _manual(route: ManualRoute, stage: Stage) -> Answer:
    connector = ManualConnector(route, stage.now)
    stage.sent["form"] = [str(stage.question.item.about), *stage.question.fields]
    said = next((word for word in get_args(Said) if word == stage.recorded.said), None)
    if said is None:
        raise NotRecordedError("said")
    typed = {name: str(value) for row in stage.recorded.rows for name, value in row.items()}
    return connector.answer_in(Typed(said, typed, _STAFF), stage.question)


KINDS: Final[Mapping[type[Route], Callable[[Any, Stage], Answer]]] = {
    HttpRoute: _http,
    SoapRoute: _soap,
    SqlRoute: _sql,
    TablesRoute: _tables,
    FilesRoute: _files,
    TicketRoute: _ticket,
    PushRoute: _push,
    ManualRoute: _manual,
}
