"""The exchange database's connector against real files: what it selects, what it may not do, what it refuses."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy

from connectors.databases import Access, open_engine
from connectors.departments.exchange_database import ExchangeDatabase
from connectors.departments.people import LIN, OLD_FORM, XU
from connectors.directory import Directory
from connectors.routes import RoutesFile
from connectors.sql import SqlRoute, select_statement
from policies.strict_yaml import read_yaml
from policies.vocabulary import Outcome
from tests.connectors.asking import ITEMS, question, routes_text, write_secrets


@pytest.fixture
def store(tmp_path: Path) -> Path:
    database = ExchangeDatabase(tmp_path)
    database.close()
    (tmp_path / "r.yaml").write_text(routes_text(tmp_path), encoding="utf-8")
    write_secrets(tmp_path / "secrets")
    return tmp_path


def load(store: Path) -> Directory:
    return Directory.load(store / "r.yaml", ITEMS, store / "secrets")


def route(store: Path) -> SqlRoute:
    file, _ = read_yaml(store / "r.yaml", RoutesFile)
    return next(one for entry in file.items for one in entry.routes if isinstance(one, SqlRoute))


def change(store: Path, statement: str, *values: str) -> None:
    connection = sqlite3.connect(store / "exchange.sqlite")
    with connection:
        connection.execute(statement, values)
    connection.close()


ASKED: Final = question("deed_tax", ("paid_amount", "paid_date"))


@pytest.mark.parametrize("database", ["postgresql+psycopg", "mysql+pymysql", "mariadb+pymysql", "sqlite"])
def test_one_statement_for_every_database(store: Path, database: str) -> None:
    dialect = sqlalchemy.make_url(f"{database}://").get_dialect()()
    limited = replace(ASKED, params={"date_from": "2026-01-01"})
    compiled = select_statement(route(store), limited).compile(dialect=dialect)
    text = " ".join(str(compiled).split())
    assert text.startswith("SELECT sjje, jkrq, nsrsbh, sjgxsj FROM v_deed_tax WHERE cxzjh IN (")
    assert "jkrq >=" in text
    assert "jkrq <=" not in text
    assert "20260101" in compiled.params.values()
    assert not any(word in text for word in (XU.id_number, "20260101"))


async def test_a_hostile_number_is_only_a_value(store: Path) -> None:
    directory = load(store)
    for number in ("' OR '1'='1", "x'; DROP TABLE deed_tax; --"):
        person = replace(XU, id_number=number)
        assert (await directory.ask(replace(ASKED, subject=person))).outcome is Outcome.NO_RECORD
    assert (await directory.ask(ASKED)).outcome is Outcome.FOUND
    await directory.aclose()


def test_the_data_is_opened_for_reading_only(store: Path) -> None:
    engine = open_engine(f"sqlite:///{store}/exchange.sqlite", None, Access(1, 1, read_only=True))
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError, match="readonly"):
        connection.execute(sqlalchemy.text("DELETE FROM deed_tax"))
    engine.dispose()


async def test_a_hundred_megabytes_are_never_read(store: Path) -> None:
    """They would be held as often as there are rows and questions; SQLite itself is told to stop."""
    database = ExchangeDatabase(store)
    database.bend("huge")
    database.close()
    directory = load(store)
    answer = await directory.ask(question("deed_tax", ("paid_amount", "location")))
    assert (answer.outcome, answer.raw_code) == (Outcome.GARBLED, "SQLITE_TOOBIG")
    assert (await directory.ask(ASKED)).outcome is Outcome.FOUND, "what is not asked for is not read"
    await directory.aclose()


def test_a_file_that_is_no_database_is_let_go_of(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (store / "exchange.sqlite").write_bytes(b"x" * 5000)
    opened: list[Noticed] = []

    def connect(*args: Any, **named: Any) -> Noticed:
        opened.append(Noticed(*args, **named))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", connect)
    engine = open_engine(f"sqlite:///{store}/exchange.sqlite", None, Access(1, 1, read_only=True))
    with pytest.raises(sqlalchemy.exc.DatabaseError):
        engine.connect()
    assert [one.closed for one in opened] == [True]


class Noticed(sqlite3.Connection):
    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


async def test_a_database_that_is_not_there_is_not_made(store: Path) -> None:
    (store / "exchange.sqlite").unlink()
    directory = load(store)
    assert (await directory.ask(ASKED)).outcome is Outcome.DEPARTMENT_DOWN
    await directory.aclose()
    assert not (store / "exchange.sqlite").exists()


async def test_where_the_call_cannot_be_noted_nothing_is_read(store: Path) -> None:
    connection = sqlite3.connect(store / "calls.sqlite")
    connection.execute("DROP TABLE call_log")
    connection.close()
    directory = load(store)
    answer = await directory.ask(ASKED)
    await directory.aclose()
    assert (answer.outcome, answer.records) == (Outcome.DEPARTMENT_DOWN, ())


async def test_a_swapped_file_is_read_at_once_and_its_oldest_batch_is_the_as_of(store: Path) -> None:
    directory = load(store)
    assert (await directory.ask(ASKED)).outcome is Outcome.FOUND
    aside = store / "aside.sqlite"
    aside.write_bytes((store / "exchange.sqlite").read_bytes())
    aside.replace(store / "exchange.sqlite")
    change(store, "UPDATE deed_tax SET sjgxsj = '2026-11-20 23:00:00'")
    change(store, "INSERT INTO deed_tax SELECT * FROM deed_tax WHERE cxzjh = ?", XU.id_number)
    change(store, "UPDATE deed_tax SET sjgxsj = '2026-11-01 23:00:00' WHERE rowid = 1")
    answer = await directory.ask(ASKED)
    await directory.aclose()
    assert len(answer.records) == 2
    assert answer.as_of == datetime(2026, 11, 1, 15, 0, 0, tzinfo=UTC)


async def test_one_row_about_another_person_spoils_the_whole_answer(store: Path) -> None:
    change(store, "INSERT INTO deed_tax SELECT * FROM deed_tax WHERE cxzjh = ?", XU.id_number)
    change(store, "UPDATE deed_tax SET nsrsbh = ? WHERE rowid = 1", LIN.id_number)
    directory = load(store)
    answer = await directory.ask(ASKED)
    await directory.aclose()
    assert (answer.outcome, answer.raw_code, answer.records) == (Outcome.GARBLED, "wrong_person", ())


@pytest.mark.parametrize("held", [None, "", "32109919860312****", "321099860312017x"])
async def test_a_number_that_cannot_be_checked_is_nobody_s(store: Path, held: str | None) -> None:
    change(store, f"UPDATE deed_tax SET nsrsbh = {'NULL' if held is None else repr(held)}")
    directory = load(store)
    answer = await directory.ask(ASKED)
    await directory.aclose()
    assert (answer.outcome, answer.raw_code) == (Outcome.GARBLED, "wrong_person")


@pytest.mark.parametrize("filed", [OLD_FORM.id_number.lower(), OLD_FORM.id_number[:6] + OLD_FORM.id_number[8:17]])
async def test_a_person_is_found_under_every_form_of_the_number(store: Path, filed: str) -> None:
    change(store, "UPDATE deed_tax SET cxzjh = ?, nsrsbh = ? WHERE cxzjh = ?", filed, filed, OLD_FORM.id_number)
    directory = load(store)
    answer = await directory.ask(question("deed_tax", ("taxpayer_id",), subject=OLD_FORM))
    await directory.aclose()
    assert [dict(record) for record in answer.records] == [{"taxpayer_id": OLD_FORM.id_number}]


async def test_a_binary_float_is_no_money(store: Path) -> None:
    change(store, "UPDATE deed_tax SET sjje = CAST(sjje AS REAL)")
    directory = load(store)
    answer = await directory.ask(ASKED)
    await directory.aclose()
    assert (answer.outcome, answer.raw_code) == (Outcome.GARBLED, "not_a_plain_value")


async def test_two_newest_records_are_no_answer(store: Path) -> None:
    text = routes_text(store).replace("person: nsrsbh", "person: nsrsbh\n          newest_by: jkrq")
    (store / "r.yaml").write_text(text, encoding="utf-8")
    change(store, "INSERT INTO deed_tax SELECT * FROM deed_tax WHERE cxzjh = ?", XU.id_number)
    directory = load(store)
    assert (await directory.ask(ASKED)).raw_code == "two_newest_records"
    change(store, "UPDATE deed_tax SET jkrq = '20200101' WHERE rowid = 1")
    answer = await directory.ask(ASKED)
    await directory.aclose()
    assert [record["paid_date"] for record in answer.records] == ["2026-10-18"]


async def test_a_statement_without_end_is_interrupted(store: Path) -> None:
    change(store, "DROP VIEW v_deed_tax")
    change(
        store,
        "CREATE VIEW v_deed_tax AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT deed_tax.* FROM n, deed_tax WHERE x < 0",
    )
    text = routes_text(store).replace("deadline_seconds: 3", "deadline_seconds: 0.3")
    (store / "r.yaml").write_text(text, encoding="utf-8")
    directory = load(store)
    assert (await directory.ask(ASKED)).outcome is Outcome.TIMEOUT
    await directory.aclose()
