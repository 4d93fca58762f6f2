"""Migrations lead to exactly the schema the code works with, from empty and from every earlier revision with data."""

import contextlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, LargeBinary, MetaData, String, Table, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from audit import tables as audit_tables
from broker import schema
from broker import tables as broker_tables
from broker.cli import app
from broker.commands.exits import ExitCode
from broker.database import Database, open_database
from broker.founding import CONFIGURATION, found_broker
from broker.settings import read_settings
from consent import tables as consent_tables
from policies.strict_yaml import ConfigurationError
from tests.faults.ledger_file import opened, verify_log

METADATA = [audit_tables.metadata, consent_tables.metadata, broker_tables.metadata]
ENTRIES = 300
"""Enough for one full tile."""
MOVED = {("consent_kept", "iss"): "consent_awaited", ("consent_kept", "jti"): "consent_awaited"}
"""Columns that stand in another table from a later revision on."""
PROBE = """
import sqlalchemy as sa
from alembic import op

revision = "probe"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("broker_stop") as table:
        table.add_column(sa.Column("probe", sa.Integer))
    {fail}
"""


def described(connection: Connection) -> dict[str, Any]:
    """Everything a table is, but our own note of the revision."""
    found = inspect(connection)
    return {
        name: {
            "columns": [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(name)],
            "primary key": found.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted(one["column_names"] for one in found.get_unique_constraints(name)),
            "indexes": sorted((i["name"] or "", i["column_names"], i["unique"]) for i in found.get_indexes(name)),
        }
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def merged() -> MetaData:
    whole = MetaData()
    for metadata in METADATA:
        for table in metadata.sorted_tables:
            table.to_metadata(whole)
    return whole


def test_from_empty_it_is_exactly_what_the_tables_say(database: Database) -> None:
    with database.long_turn() as connection:
        for metadata in METADATA:
            metadata.create_all(connection)
        wanted = described(connection)
        for metadata in METADATA:
            metadata.drop_all(connection)
        schema.upgrade(connection)
        assert described(connection) == wanted
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), merged()) == []
        assert schema.revision_of(connection) == schema.revisions()[-1]


@pytest.fixture(scope="module")
def log_rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """A real log's rows, to be put into a database of any revision."""
    with opened(tmp_path_factory.mktemp("donor")) as log:
        for number in range(ENTRIES // 50):
            log.record(f"n{number}", 50)
        with log.database.reader.begin() as connection:
            return {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in audit_tables.metadata.sorted_tables
            }


def fill(connection: Connection, log_rows: dict[str, list[dict[str, Any]]]) -> None:
    """A row in each table as it is at this revision; the log's tables get a real log."""
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name == "alembic_version":
            continue
        rows = log_rows.get(table.name) or [{column.name: _sample(column.type) for column in table.columns}]
        held = [{name: value for name, value in row.items() if name in table.columns} for row in rows]
        connection.execute(insert(table), held)


def _sample(kind: Any) -> Any:
    if isinstance(kind, LargeBinary):
        return b"\x00\x01"
    return "x" if isinstance(kind, String) else 7


def rows_of(connection: Connection, columns: dict[str, list[str]]) -> dict[str, list[Any]]:
    held = {}
    for name, kept in columns.items():
        table = Table(name, MetaData(), autoload_with=connection)
        chosen = [table.c[column] for column in kept]
        held[name] = sorted(map(tuple, connection.execute(select(*chosen))), key=repr)
    return held


@pytest.mark.parametrize("revision", schema.revisions())
def test_from_every_revision_with_data_nothing_is_lost(
    database: Database, revision: str, log_rows: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    with database.long_turn() as connection:
        schema.upgrade(connection, revision)
        assert schema.revision_of(connection) == revision
        fill(connection, log_rows)
        before = {name: [column[0] for column in one["columns"]] for name, one in described(connection).items()}
        moved = {
            place: rows_of(connection, {place[0]: [place[1]]})
            for place in MOVED
            if place[1] in before.get(place[0], [])
        }
        before = {name: [one for one in columns if (name, one) not in MOVED] for name, columns in before.items()}
        held = rows_of(connection, before)
    with database.long_turn() as connection:
        schema.upgrade(connection)
        assert rows_of(connection, before) == held
        for (name, column), rows in moved.items():
            there = MOVED[name, column]
            assert rows_of(connection, {there: [column]})[there] == rows[name]
    assert verify_log(database, tmp_path / "export").checkpoint.size == ENTRIES


@pytest.mark.parametrize("table", ["audit_entry", "audit_tile"])
@pytest.mark.parametrize("change", ["UPDATE {0} SET number = number", "DELETE FROM {0}"])
def test_what_was_logged_cannot_be_changed_by_a_statement(
    database: Database, log_rows: dict[str, list[dict[str, Any]]], table: str, change: str
) -> None:
    statement = change.format(table).replace("number", "idx" if table == "audit_entry" else "number")
    with database.long_turn() as connection:
        schema.upgrade(connection)
        fill(connection, log_rows)
    with pytest.raises(DBAPIError, match="never changed"), database.turn() as connection:
        connection.exec_driver_sql(statement)


def probe(monkeypatch: pytest.MonkeyPatch, folder: Path, *, fail: bool = False) -> None:
    """One revision more than there is, from here on."""
    head = schema.revisions()[-1]
    copied = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, copied, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    file = copied / "versions" / "9999_probe.py"
    failing = "raise RuntimeError('fails half-way')" if fail else ""
    file.write_text(PROBE.format(head=head, fail=failing), encoding="utf-8")
    monkeypatch.setattr(schema, "MIGRATIONS", copied)


def run(*words: str) -> tuple[int, str]:
    """Exit code, and everything the command said on one line."""
    result = CliRunner().invoke(app, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


def test_an_older_database_is_refused_until_it_is_migrated(
    place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(place) if isinstance(place, str) else place.name
    settings = found_broker(tmp_path, issuer="http://127.0.0.1:8400", database=name)
    config = str(tmp_path / CONFIGURATION)
    head = schema.revisions()[-1]
    probe(monkeypatch, tmp_path)
    for command in ("check", "serve"):
        code, told = run(command, "--config", config)
        assert code == ExitCode.USAGE
        assert f"at revision {head}, not probe" in told
        assert "broker migrate" in told
    assert run("migrate", "--config", config) == (0, f"before: {head} now: probe")
    assert run("migrate", "--config", config) == (0, "before: probe now: probe")
    assert run("check", "--config", config)[0] == ExitCode.OK
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="probe, which is newer"):
        open_database(settings)


def test_a_migration_that_fails_changes_nothing(
    place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = found_broker(
        tmp_path, issuer="http://127.0.0.1:8400", database=place if isinstance(place, str) else place.name
    )
    probe(monkeypatch, tmp_path, fail=True)
    with pytest.raises(RuntimeError, match="half-way"):
        run("migrate", "--config", str(tmp_path / CONFIGURATION))
    monkeypatch.undo()
    with contextlib.closing(open_database(settings)) as database, database.reader.begin() as connection:
        assert "probe" not in str(described(connection))


def test_a_database_that_was_never_founded_is_refused(place: Path | str, tmp_path: Path) -> None:
    config = tmp_path / CONFIGURATION
    config.write_text(f"issuer: http://127.0.0.1:8400\ndatabase: '{place}'\n", encoding="utf-8")
    for command in ("check", "serve", "migrate"):
        (tmp_path / "departments.yaml").write_text("items: []\n", encoding="utf-8")
        code, told = run(command, "--config", str(config))
        assert code == ExitCode.USAGE
        assert "broker init" in told or "log.key" in told
    with pytest.raises(ConfigurationError, match="broker init"):
        open_database(read_settings(config))


def test_founding_twice_is_refused(place: Path | str, tmp_path: Path) -> None:
    name = place if isinstance(place, str) else str(place)
    found_broker(tmp_path / "one", issuer="http://127.0.0.1:8400", database=name)
    with pytest.raises(FileExistsError):
        found_broker(tmp_path / "two", issuer="http://127.0.0.1:8400", database=name)
