"""Statements past SQLAlchemy: the same rows as through it, and errors that are its own and quote no value."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, bindparam, create_engine, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from audit.prepared import Prepared
from audit.rows import insert_rows

THING = Table(
    "thing",
    MetaData(),
    Column("name", String(20), primary_key=True),
    Column("used", Integer, nullable=False),
)
MISSING = Table("missing", MetaData(), Column("name", String(20), primary_key=True))
BY_NAME = Prepared(select(THING).where(THING.c.name == bindparam("name")))
USE = Prepared(update(THING).where(THING.c.name == bindparam("of")).values(used=THING.c.used + 1))
SET = Prepared(update(THING).where(THING.c.name == bindparam("of")), "used")


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://", hide_parameters=True)
    with engine.begin() as connection:
        THING.create(connection)
        insert_rows(connection, THING, [("one", 1), ("two", 2)])
        yield connection
    engine.dispose()


def test_rows_have_their_columns_by_name(connection: Connection) -> None:
    assert BY_NAME.one(connection, name="two") == connection.execute(select(THING).where(THING.c.used == 2)).one()
    assert BY_NAME.one(connection, name="three") is None
    assert [row.name for row in Prepared(select(THING)).all(connection)] == ["one", "two"]


def test_a_change_says_how_many_rows(connection: Connection) -> None:
    assert USE.change(connection, of="one") == 1, "the statement's own number is given with it"
    assert SET.change(connection, of="two", used=9) == 1
    assert SET.change(connection, of="three", used=9) == 0
    assert [row.used for row in Prepared(select(THING)).all(connection)] == [2, 9]


def test_the_drivers_errors_are_sqlalchemys_and_quote_nothing(connection: Connection) -> None:
    with pytest.raises(IntegrityError) as twice:
        insert_rows(connection, THING, [("a-secret-value", 1), ("a-secret-value", 2)])
    with pytest.raises(OperationalError) as nowhere:
        Prepared(select(MISSING).where(MISSING.c.name == bindparam("name"))).one(connection, name="a-secret-value")
    for raised in (twice, nowhere):
        assert "a-secret-value" not in str(raised.value)
