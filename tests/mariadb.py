"""A MariaDB server for tests: the one in $BROKER_TEST_MARIADB_URL, else one here that lets root in, else none.

It is only asked for scratch databases, which are gone afterwards.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import sqlalchemy
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

VARIABLE = "BROKER_TEST_MARIADB_URL"
USUAL = "mysql+pymysql://root@127.0.0.1:3306/"
SKIPPED = f"NOT TESTED MariaDB: no server that lets us in; set ${VARIABLE}"


@contextmanager
def mariadb_database() -> Iterator[str]:
    """The URL of a new database; skips the test where no server can be had."""
    url = make_url(os.environ.get(VARIABLE, USUAL))
    engine = sqlalchemy.create_engine(url, connect_args={"connect_timeout": 2}, isolation_level="AUTOCOMMIT")
    name = f"broker_test_{uuid4().hex}"
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    except OperationalError:
        engine.dispose()
        pytest.skip(SKIPPED)
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
        engine.dispose()
