"""Exchange databases on real servers: the read view and the two tables, on PostgreSQL and on MariaDB."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.contract import Answer
from connectors.databases import Access, open_engine
from connectors.departments.exchange_database import COLUMNS, filed
from connectors.departments.late_fleet import TEMPLATES
from connectors.departments.people import XU
from connectors.departments.process import DepartmentProcess
from connectors.departments.tax_tables import URL_FILE
from connectors.directory import Directory
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS, question, routes_text, write_secrets
from tests.connectors.late_asking import settled
from tests.mariadb import mariadb_database
from tests.postgresql import Server

RUNNING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity"
    " WHERE state = 'active' AND query LIKE '%%FROM v_slow%%' AND pid <> pg_backend_pid()",
    "mysql": "SELECT count(*) FROM information_schema.processlist"
    " WHERE info LIKE '%%FROM v_slow%%' AND id <> connection_id()",
}
CALL_LOG = ("call_id", "requester", "operator", "matter", "case_no", "consent")


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new database on each server there is."""
    with ExitStack() as stack:
        if request.param == "mariadb":
            yield stack.enter_context(mariadb_database())
        else:
            server: Server = request.getfixturevalue("postgresql")
            plain = stack.enter_context(server.database())
            yield sa.make_url(plain).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def filled(url: str) -> Iterator[sa.Engine]:
    """The tax office's view and call log, as its own administrator made them."""
    engine = sa.create_engine(url)
    metadata = sa.MetaData()
    table = sa.Table("deed_tax", metadata, *(sa.Column(name, sa.String(200)) for name in COLUMNS))
    sa.Table("call_log", metadata, *(sa.Column(name, sa.String(64)) for name in CALL_LOG))
    metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in filed(XU.id_number, "none")]
        connection.execute(sa.insert(table), rows)
        connection.exec_driver_sql("CREATE VIEW v_deed_tax AS SELECT * FROM deed_tax")
        for view, seconds in (("v_slow", 5), ("v_slowish", 1)):
            slow = f"pg_sleep({seconds})::text" if engine.dialect.name == "postgresql" else f"SLEEP({seconds})"
            columns = ", ".join(slow + " AS syzlwz" if name == "syzlwz" else name for name in COLUMNS)
            connection.exec_driver_sql(f"CREATE VIEW {view} AS SELECT {columns} FROM deed_tax")
    yield engine
    engine.dispose()


def view_route(folder: Path, url: str, *, view: str = "v_deed_tax", deadline: str = "3") -> Directory:
    text = routes_text(folder)
    for name in ("exchange", "calls"):
        text = text.replace(f"sqlite:///{folder}/{name}.sqlite", url)
    text = text.replace("view: v_deed_tax", f"view: {view}").replace(
        "deadline_seconds: 3", f"deadline_seconds: {deadline}"
    )
    (folder / "r.yaml").write_text(text, encoding="utf-8")
    return Directory.load(folder / "r.yaml", ITEMS, write_secrets(folder / "secrets"))


async def asked(directory: Directory) -> Answer:
    answer = await directory.ask(question("deed_tax", ("paid_amount", "paid_date")))
    await directory.aclose()
    return answer


async def test_the_view_is_read_and_the_call_is_noted(tmp_path: Path, url: str, filled: sa.Engine) -> None:
    answer = await asked(view_route(tmp_path, url))
    assert answer.outcome is Outcome.FOUND
    assert answer.records == ({"paid_amount": 1234500, "paid_date": "2026-10-18"},)
    with filled.connect() as connection:
        noted = connection.exec_driver_sql("SELECT call_id, consent FROM call_log").all()
    assert [tuple(row) for row in noted] == [("call-0001", "jti-of-the-consent-0001")]


async def test_a_view_that_takes_too_long_is_ended_on_the_server(tmp_path: Path, url: str, filled: sa.Engine) -> None:
    """Not only our waiting: a statement left running would pile up on the department's machine."""
    directory = view_route(tmp_path, url, view="v_slow", deadline="1")
    answer = await directory.ask(question("deed_tax", ("paid_amount", "location")))
    assert answer.outcome is Outcome.TIMEOUT
    running = RUNNING[filled.dialect.name]
    end = time.monotonic() + 2.5
    while True:
        with filled.connect() as connection:  # a new one each time: PostgreSQL shows one transaction one picture
            if not connection.exec_driver_sql(running).scalar_one():
                break
        assert time.monotonic() < end, "the server still works on it"
        await asyncio.sleep(0.1)
    await directory.aclose()


MARK = {"postgresql": "SELECT clock_timestamp()::text", "mysql": "SELECT connection_id()"}
OPEN_SINCE = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_start > '{}'",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND id > {}",
}
"""How many connections to this database are open that began after the mark."""


async def test_closing_while_a_thread_still_reads_leaves_no_connection(
    tmp_path: Path, url: str, filled: sa.Engine
) -> None:
    """The thread gives its connection back after the closing, to a pool that nobody would ever empty."""
    server = filled.dialect.name

    def told(statement: str) -> Any:
        with filled.connect() as connection:  # a new one each time: PostgreSQL shows one transaction one picture
            return connection.exec_driver_sql(statement).scalar_one()

    began = told(MARK[server])
    directory = view_route(tmp_path, url, view="v_slowish", deadline="5")
    asking = asyncio.create_task(directory.ask(question("deed_tax", ("location",))))
    gc.disable()  # or chance would close it
    try:
        await until(lambda: told(RUNNING[server]))
        await directory.aclose()
        assert (await asking).raw_code == "cancelled"
        await until(lambda: not told(OPEN_SINCE[server].format(began)))
    finally:
        gc.enable()


async def until(seen: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def test_a_view_that_is_gone(tmp_path: Path, url: str, filled: sa.Engine) -> None:
    assert (await asked(view_route(tmp_path, url, view="v_gone"))).outcome is Outcome.DEPARTMENT_DOWN


def test_a_read_only_route_cannot_write(url: str, filled: sa.Engine) -> None:
    engine = open_engine(url, None, Access(1, 2.0, read_only=True))
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.exec_driver_sql("DELETE FROM deed_tax")
    engine.dispose()
    with filled.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM deed_tax").scalar_one() == 1


async def test_nobody_is_there(tmp_path: Path, url: str) -> None:
    made = sa.make_url(url)
    gone = made.set(host="127.0.0.1", port=1, query={}).render_as_string()
    assert (await asked(view_route(tmp_path, gone))).outcome is Outcome.DEPARTMENT_DOWN
    stranger = made.set(username="nobody_known_here").render_as_string()
    assert (await asked(view_route(tmp_path, stranger))).outcome in {Outcome.AUTH_FAILED, Outcome.DEPARTMENT_DOWN}


# --- Request table and result table -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def worker(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DepartmentProcess]:
    """The tax office's own worker over the same database."""
    store = tmp_path_factory.mktemp("worker")
    (store / URL_FILE).write_text(url, encoding="utf-8")
    running = DepartmentProcess.start("tax_tables", store)
    yield running
    running.stop()


@pytest.fixture
async def tables(url: str, worker: DepartmentProcess, tmp_path: Path) -> AsyncIterator[Directory]:
    template = (TEMPLATES / "tax-tables.yaml.template").read_text(encoding="utf-8")
    file = tmp_path / "r.yaml"
    file.write_text("items:\n" + template.replace("$tables_url", url), encoding="utf-8")
    directory = Directory.load(file, ITEMS, tmp_path)
    yield directory
    await directory.aclose()
    worker.control("POST", "/faults", {"fault": "none"})


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("none", Outcome.FOUND),
        ("refused", Outcome.DENIED_BY_DEPARTMENT),
        ("no_record", Outcome.NO_RECORD),
        ("wrong_person", Outcome.GARBLED),
        ("not_hers", Outcome.GARBLED),
    ],
)
async def test_the_two_tables(tables: Directory, worker: DepartmentProcess, fault: str, outcome: Outcome) -> None:
    worker.control("POST", "/faults", {"fault": fault})
    once = replace(question("deed_tax", ("paid_amount",)), call=f"call-{os.urandom(4).hex()}x.1")
    answer = await settled(tables, once)
    assert answer.outcome is outcome
    assert answer.records == (({"paid_amount": 1234500},) if outcome is Outcome.FOUND else ())


async def test_the_two_tables_after_the_deadline(tables: Directory, worker: DepartmentProcess) -> None:
    worker.control("POST", "/faults", {"fault": "none", "seconds": 2.5})
    once = replace(question("deed_tax", ("paid_amount",)), call=f"call-{os.urandom(4).hex()}x.1")
    first = await tables.ask(once)
    assert first.outcome is Outcome.PENDING
    assert first.ticket is not None
    end = time.monotonic() + 10
    while (late := await tables.carry_on(once, first.route, first.ticket)).outcome is Outcome.PENDING:
        assert time.monotonic() < end
    assert late.records == ({"paid_amount": 1234500},)


async def test_the_same_number_twice_is_asked_once(tables: Directory, worker: DepartmentProcess) -> None:
    """A number is ours and unique: the department's own key refuses a second row."""
    once = replace(question("deed_tax", ("paid_amount",)), call=f"call-{os.urandom(4).hex()}x.1")
    assert (await settled(tables, once)).outcome is Outcome.FOUND
    assert (await tables.ask(once)).outcome is Outcome.GARBLED
