"""Exchange databases of each make that can be had here, told every fault by their own means."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from sqlalchemy.engine import make_url

from connectors.departments.exchange_database import DATA_FILE, ExchangeDatabase
from connectors.departments.people import XU, somebody_else
from connectors.departments.process import DepartmentProcess
from tests.connectors.asking import write_secrets
from tests.departments.running import DOOR, Running, limited_route, open_door, write_route
from tests.postgresql import Server, plain


def exchange_route(folder: Path, url: str, log_url: str) -> dict[str, Any]:
    route = limited_route("deed_tax", folder, url=url)
    route["call_log"]["url"] = log_url
    route["records"]["key"] = ["dzsphm"]
    return route


@contextmanager
def sqlite_file(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
    """The tax office as it ships: a process that swaps its file in."""
    tax = DepartmentProcess.start("tax", folder / "department")
    store = folder / "department"
    route = exchange_route(folder, f"sqlite:///{store}/exchange.sqlite", f"sqlite:///{store}/calls.sqlite")
    faults = {
        "hang in body": "hang",
        "5xx": "500",
        "truncated": "truncated",
        "wrong schema": "wrong_schema",
        "wrong person": "wrong_person",
        "duplicates": "duplicates",
        "stale": "stale",
        "100 MB": "huge",
        "refused": "down",
    }

    def bend(fault: str) -> None:
        tax.control("POST", "/faults", {"fault": faults.get(fault, "none")})

    yield Running(write_route(folder, "deed_tax", route), write_secrets(folder / "secrets"), bend)
    tax.stop()


VIEWS = {
    "none": "SELECT * FROM {table}",
    "wrong schema": "SELECT cxzjh, nsrmc, nsrsbh AS sbh, sjgxsj FROM {table}",
    "duplicates": "SELECT * FROM {table} UNION ALL SELECT * FROM {table}",
    "wrong person": "SELECT {others} FROM {table}",
    "stale": "SELECT {stale} FROM {table}",
    "100 MB": "SELECT {huge} FROM {table}",
}
HUGE = {
    "postgresql": "repeat('x', 100000000)",
    "mariadb": "repeat('x', 15000000)",  # as long as one value may be on that server
    "sqlite": "hex(zeroblob(50000000))",
}


def exchanged_rows(folder: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    """The columns and rows of the shipped exchange database."""
    ExchangeDatabase(folder).close()
    connection = sqlite3.connect(folder / DATA_FILE)
    cursor = connection.execute("SELECT * FROM deed_tax")
    columns, rows = [column[0] for column in cursor.description], cursor.fetchall()
    connection.close()
    return columns, rows


def view_statement(fault: str, columns: Sequence[str], server: str, table: str = "deed_tax") -> str:
    """The view's SELECT while this fault is on."""

    def instead(column: str, value: str) -> str:
        return ", ".join(f"{value} AS {name}" if name == column else name for name in columns)

    return VIEWS.get(fault, VIEWS["none"]).format(
        table=table,
        others=instead("nsrsbh", f"'{somebody_else(XU.id_number).person.id_number}'"),
        stale=instead("sjgxsj", "'2025-01-01 00:00:00+00:00'"),
        huge=instead("syzlwz", HUGE[server]),
    )


def table_statements(columns: list[str]) -> list[str]:
    """The tables that every exchange database has."""
    called = ("call_id", "requester", "operator", "matter", "case_no", "consent")
    return [
        f"CREATE TABLE {table} ({', '.join(f'{name} VARCHAR(200)' for name in names)})"
        for table, names in (("deed_tax", columns), ("call_log", called))
    ]


@contextmanager
def on_postgresql(folder: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """An exchange database on a real PostgreSQL server, read by a user of its own."""
    server: Server = request.getfixturevalue("postgresql")
    columns, rows = exchanged_rows(folder / "shipped")
    with server.database() as url:
        address = make_url(url)
        reader = f"reader_{address.database}"
        marks = ", ".join(["%s"] * len(columns))
        with psycopg.connect(plain(url), autocommit=True) as admin:
            for statement in [*table_statements(columns), f"CREATE ROLE {reader} LOGIN"]:
                admin.execute(statement.encode())
            admin.cursor().executemany(f"INSERT INTO deed_tax VALUES ({marks})".encode(), rows)
            socket = address.query.get("host") or ""
            host = address.host or "127.0.0.1"
            target = f"{socket}/.s.PGSQL.{address.port or 5432}" if socket else f"{host}:{address.port or 5432}"
            door, port = open_door(folder / "door", target)

            def bend(fault: str) -> None:
                statements = ["DROP VIEW IF EXISTS v_deed_tax"]
                if fault != "5xx":
                    statements.append(f"CREATE VIEW v_deed_tax AS {view_statement(fault, columns, 'postgresql')}")
                    statements.append(f"GRANT SELECT ON v_deed_tax TO {reader}")
                statements.append(f"GRANT INSERT ON call_log TO {reader}")
                statements.append(f"ALTER ROLE {reader} CONNECTION LIMIT {0 if fault == '429' else -1}")
                for statement in statements:
                    admin.execute(statement.encode())
                door.control("POST", "/faults", {"fault": DOOR.get(fault, "none"), "after": 150})

            bend("none")
            own = f"postgresql+psycopg://{reader}@127.0.0.1:{port}/{address.database}"
            file = write_route(folder, "deed_tax", exchange_route(folder, own, own))
            yield Running(file, write_secrets(folder / "secrets"), bend)
            door.stop()
            admin.execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}".encode())


@contextmanager
def on_mariadb(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Running]:
    """An exchange database on a real MariaDB server, read by a user of its own."""
    try:
        admin = pymysql.connect(host="127.0.0.1", user="root", autocommit=True, charset="utf8mb4")
    except pymysql.Error as error:
        pytest.skip(f"NOT TESTED MariaDB: root cannot connect to 127.0.0.1:3306 without a password ({error.args[0]})")
    columns, rows = exchanged_rows(folder / "shipped")
    name = f"broker_test_{abs(hash(folder)) % 10**9}"
    held: list[Any] = []

    def execute(*statements: str) -> None:
        with admin.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4", f"USE {name}", *table_statements(columns))
    execute(f"CREATE USER {name}@'%' IDENTIFIED BY 'reader'", f"GRANT SELECT, INSERT ON {name}.* TO {name}@'%'")
    with admin.cursor() as cursor:
        cursor.executemany(f"INSERT INTO deed_tax VALUES ({', '.join(['%s'] * len(columns))})", rows)
    door, port = open_door(folder / "door", "127.0.0.1:3306")

    def bend(fault: str) -> None:
        while held:
            held.pop().close()
        execute("DROP VIEW IF EXISTS v_deed_tax", f"ALTER USER {name}@'%' WITH MAX_USER_CONNECTIONS 0")
        if fault != "5xx":
            execute(f"CREATE VIEW v_deed_tax AS {view_statement(fault, columns, 'mariadb')}")
        if fault == "429":  # its only place is taken
            held.append(pymysql.connect(host="127.0.0.1", user=name, password="reader"))
            execute(f"ALTER USER {name}@'%' WITH MAX_USER_CONNECTIONS 1")
        door.control("POST", "/faults", {"fault": DOOR.get(fault, "none"), "after": 90})

    bend("none")
    secrets = write_secrets(folder / "secrets")
    (secrets / "reader").touch(mode=0o600)
    (secrets / "reader").write_text("reader", encoding="utf-8")
    own = f"mysql+pymysql://{name}@127.0.0.1:{port}/{name}?charset=utf8mb4"
    route = exchange_route(folder, own, own) | {"secret": "reader"}
    yield Running(write_route(folder, "deed_tax", route), secrets, bend)
    bend("none")
    door.stop()
    execute(f"DROP DATABASE {name}", f"DROP USER {name}@'%'")
    admin.close()
