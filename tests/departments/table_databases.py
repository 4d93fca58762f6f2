"""Exchange databases with a request and a result table, which a worker of the department's own fills.

We see the results through a view; it is what is bent, and the worker stays honest.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pymysql
import pytest
from sqlalchemy.engine import make_url

from connectors.departments.exchange_database import COLUMNS
from connectors.departments.process import DepartmentProcess
from connectors.departments.tax_tables import FILE, URL_FILE
from tests.connectors.asking import write_secrets
from tests.departments.exchange_databases import view_statement
from tests.departments.http_departments import late_route
from tests.departments.running import DOOR, HELD, Running, limited, open_door, write_route
from tests.postgresql import Server, plain

SHOWN = ("sqbh", *COLUMNS)
Execute = Callable[..., None]


def tables_route(folder: Path, url: str, secret: str = "") -> Path:
    item, route = late_route("tax-tables", folder, tables_url=f'"{url}"')
    results = {**route["results"], "table": "v_result"}
    return write_route(folder, item, limited(route, results=results, secret=secret))


def show(execute: Execute, fault: str, server: str) -> None:
    """Put the view in the place of the last one; by one fault there is none."""
    execute("DROP VIEW IF EXISTS v_result")
    if fault != "5xx":
        execute(f"CREATE VIEW v_result AS {view_statement(fault, SHOWN, server, 'cx_result')}")


@contextmanager
def worker(store: Path, url: str = "") -> Iterator[Callable[[str], None]]:
    """The department's own, which is only ever told to hold its answers."""
    store.mkdir()
    if url:
        (store / URL_FILE).write_text(url, encoding="utf-8")
    running = DepartmentProcess.start("tax_tables", store)

    def tell(fault: str) -> None:
        running.control("POST", "/faults", {"fault": "held" if fault == HELD else "none"})

    yield tell
    running.stop()


@contextmanager
def tables_in_file(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
    """One SQLite file, which we and the worker both write."""
    with worker(folder / "department") as tell:
        file = folder / "department" / FILE
        aside = file.with_suffix(".aside")
        admin = sqlite3.connect(file, isolation_level=None, timeout=10, check_same_thread=False)

        def execute(statement: str) -> None:
            admin.execute(statement)

        def bend(fault: str) -> None:
            with suppress(sqlite3.OperationalError):
                admin.execute("ROLLBACK")
            if aside.exists():
                aside.rename(file)
            tell(fault)
            show(execute, fault, "sqlite")
            if fault == "refused":
                file.rename(aside)
            if fault == "hang in body":
                admin.execute("BEGIN EXCLUSIVE")

        bend("none")
        yield Running(tables_route(folder, f"sqlite:///{file}"), write_secrets(folder / "secrets"), bend)
        bend("none")
        admin.close()


@contextmanager
def tables_on_postgresql(folder: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """On a real server, by a user who may put requests and read results."""
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as url:
        address = make_url(url)
        reader = f"reader_{address.database}"
        own = address.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        socket = address.query.get("host") or ""
        host, port = address.host or "127.0.0.1", address.port or 5432
        target = f"{socket}/.s.PGSQL.{port}" if socket else f"{host}:{port}"
        with (
            worker(folder / "department", own) as tell,
            psycopg.connect(plain(url), autocommit=True) as admin,
        ):
            door, shown = open_door(folder / "door", target)

            def execute(*statements: str) -> None:
                for statement in statements:
                    admin.execute(statement.encode())

            def bend(fault: str) -> None:
                tell(fault)
                show(execute, fault, "postgresql")
                if fault != "5xx":
                    execute(f"GRANT SELECT ON v_result TO {reader}")
                execute(f"ALTER ROLE {reader} CONNECTION LIMIT {0 if fault == '429' else -1}")
                door.control("POST", "/faults", {"fault": DOOR.get(fault, "none"), "after": 150})

            execute(f"CREATE ROLE {reader} LOGIN", f"GRANT SELECT, INSERT ON cx_request TO {reader}")
            bend("none")
            file = tables_route(folder, f"postgresql+psycopg://{reader}@127.0.0.1:{shown}/{address.database}")
            yield Running(file, write_secrets(folder / "secrets"), bend)
            door.stop()
            execute(f"DROP OWNED BY {reader}", f"DROP ROLE {reader}")


def only_place(user: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    """Taken as soon as the server has noticed that whoever was cut off is gone."""
    end = time.monotonic() + 10
    while True:
        try:
            return pymysql.connect(host="127.0.0.1", user=user, password="reader")
        except pymysql.err.OperationalError:
            assert time.monotonic() < end
            time.sleep(0.05)


@contextmanager
def tables_on_mariadb(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
    """The same on MariaDB."""
    try:
        admin = pymysql.connect(host="127.0.0.1", user="root", autocommit=True, charset="utf8mb4")
    except pymysql.Error as error:
        pytest.skip(f"NOT TESTED MariaDB: root cannot connect to 127.0.0.1:3306 without a password ({error.args[0]})")
    name = f"broker_test_{abs(hash(folder)) % 10**9}"
    held: list[pymysql.Connection[pymysql.cursors.Cursor]] = []

    def execute(*statements: str) -> None:
        with admin.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4", f"USE {name}")
    with worker(folder / "department", f"mysql+pymysql://root@127.0.0.1:3306/{name}?charset=utf8mb4") as tell:
        execute(f"CREATE USER {name}@'%' IDENTIFIED BY 'reader'", f"GRANT SELECT, INSERT ON {name}.* TO {name}@'%'")
        door, shown = open_door(folder / "door", "127.0.0.1:3306")

        def bend(fault: str) -> None:
            while held:
                held.pop().close()
            tell(fault)
            show(execute, fault, "mariadb")
            execute(f"ALTER USER {name}@'%' WITH MAX_USER_CONNECTIONS {1 if fault == '429' else 0}")
            if fault == "429":
                door.control("POST", "/faults", {"fault": "refused"})  # or one of ours might take it
                held.append(only_place(name))
            door.control("POST", "/faults", {"fault": DOOR.get(fault, "none"), "after": 90})

        bend("none")
        secrets = write_secrets(folder / "secrets")
        (secrets / "reader").touch(mode=0o600)
        (secrets / "reader").write_text("reader", encoding="utf-8")
        url = f"mysql+pymysql://{name}@127.0.0.1:{shown}/{name}?charset=utf8mb4"
        yield Running(tables_route(folder, url, "reader"), secrets, bend)
        bend("none")
        door.stop()
        execute(f"DROP DATABASE {name}", f"DROP USER {name}@'%'")
    admin.close()
