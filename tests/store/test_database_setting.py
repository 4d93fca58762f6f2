"""The setting `database:`: no password in it, nothing in it that weakens what the program promises."""

import subprocess
import sys
from pathlib import Path

import pytest

from broker.database import open_database
from broker.database_setting import PostgresqlAddress
from broker.postgresql import PostgresqlDatabase
from broker.settings import read_settings
from policies.strict_yaml import ConfigurationError
from tests.faults.appenders import ROOT
from tests.postgresql import Server, address_of


def written(folder: Path, database: str, more: str = "") -> Path:
    file = folder / "broker.yaml"
    file.write_text(f"issuer: http://127.0.0.1:8400\nlog_origin: log\ndatabase: {database}\n{more}", encoding="utf-8")
    return file


def test_a_name_is_a_file_beside_the_settings(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, "kept/consent.db"))
    assert settings.database == tmp_path / "kept" / "consent.db"
    assert settings.anchor == tmp_path / "kept" / "consent.db.anchor"


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_an_address_is_postgresql(tmp_path: Path, scheme: str) -> None:
    settings = read_settings(written(tmp_path, f"{scheme}://broker@db.example:5433/consent?sslmode=verify-full"))
    assert isinstance(settings.database, PostgresqlAddress)
    assert settings.database.url.host == "db.example"
    assert settings.anchor == tmp_path / "broker.anchor"


@pytest.mark.parametrize(
    ("database", "why"),
    [
        ("postgresql://broker:word-of-mouth@host/consent", "a password never stands here"),
        ("postgresql://broker@host/consent?password=word-of-mouth", "'password' may not stand"),
        ("postgresql://broker@host/consent?options=-csynchronous_commit=off", "'options' may not stand"),
        ("postgresql://broker@host/consent?passfile=/etc/passwd", "'passfile' may not stand"),
        ("postgresql://host/consent", "a user and a database"),
        ("postgresql://broker@host", "a user and a database"),
        ("postgresql+psycopg2://broker@host/consent", "only a file's name or"),
        ("mysql://broker@host/consent", "only a file's name or"),
        ("sqlite:///consent.db", "only a file's name or"),
        ("://", "not an address"),
        ("postgresql://broker@host:port/consent", "not an address"),
    ],
)
def test_what_may_not_stand_there_names_its_line(tmp_path: Path, database: str, why: str) -> None:
    file = written(tmp_path, f'"{database}"')
    with pytest.raises(ConfigurationError, match=why) as raised:
        read_settings(file)
    assert str(raised.value).startswith(f"{file}:3: ")
    assert "word-of-mouth" not in str(raised.value)


def test_a_file_has_no_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no password"):
        read_settings(written(tmp_path, "broker.db", "database_secret: database\n"))


def test_a_password_that_others_may_read_is_refused(tmp_path: Path, postgresql_url: str) -> None:
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "database"
    secret.write_text("word-of-mouth", encoding="utf-8")
    secret.chmod(0o640)
    settings = read_settings(written(tmp_path, f'"{postgresql_url}"', "database_secret: database\n"))
    with pytest.raises(ConfigurationError, match="others may read"):
        open_database(settings)
    secret.chmod(0o600)
    with pytest.raises(ConfigurationError, match="broker init"):  # it got in, and found nothing there
        open_database(settings)


def test_the_password_shows_nowhere(tmp_path: Path, postgresql_url: str) -> None:
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "database"
    secret.touch(mode=0o600)
    secret.write_text("word-of-mouth\n", encoding="utf-8")
    settings = read_settings(written(tmp_path, f'"{postgresql_url}"', "database_secret: database\n"))
    assert isinstance(settings.database, PostgresqlAddress)
    database = PostgresqlDatabase(settings.database)
    told = [repr(settings), repr(database), repr(database.reader), repr(database.reader.url), repr(database.safety())]
    database.close()
    assert "word-of-mouth" not in " ".join(told)


@pytest.mark.parametrize(
    ("words", "warned"),
    [
        ("broker@db.example/consent", True),
        ("broker@db.example/consent?sslmode=require", True),
        ("broker@db.example/consent?sslmode=verify-full", False),
        ("broker@/consent?host=/var/run/postgresql", False),
        ("broker@127.0.0.1/consent", False),
        ("broker@[::1]/consent", False),
        ("broker@/consent?host=127.0.0.1:5432&host=db.example:5432", True),
    ],
)
def test_an_open_network_is_warned_of(words: str, warned: bool) -> None:
    assert bool(address_of(f"postgresql://{words}").doubts()) is warned


def test_check_says_which_store_and_how_safe(postgresql: Server, postgresql_url: str) -> None:
    database = PostgresqlDatabase(address_of(postgresql_url))
    told = database.safety()
    database.close()
    assert told.store.startswith("PostgreSQL 1")
    assert told.settings["fsync"] == told.settings["synchronous_commit"] == told.settings["full_page_writes"] == "on"
    assert told.warnings == ()
    postgresql.execute("CREATE DATABASE broker_test_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        with pytest.raises(ConfigurationError, match="encoding must be UTF8"):
            PostgresqlDatabase(address_of(postgresql.url_of("broker_test_ascii")))
    finally:
        postgresql.execute("DROP DATABASE broker_test_ascii WITH (FORCE)")


WITHOUT_DRIVER = """
import sys
sys.modules["psycopg"] = None
from pathlib import Path
from broker.database import open_database
from broker.settings import read_settings
from policies.strict_yaml import ConfigurationError
try:
    open_database(read_settings(Path(sys.argv[1])))
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("database", "told"),
    [("postgresql://broker@/consent", "install consent-broker[postgresql]"), ("broker.db", "run `broker init` first")],
)
def test_without_the_extra_a_file_works_and_an_address_says_what_is_missing(
    tmp_path: Path, database: str, told: str
) -> None:
    command = [sys.executable, "-c", WITHOUT_DRIVER, str(written(tmp_path, database))]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert told in ended.stdout
