"""Which processes live, by the sessions of a PostgreSQL server: the dead are found, the living outlast a restart."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from broker import processes
from broker.postgresql import PostgresqlDatabase
from broker.processes import GRACE, ProcessLock
from tests.postgresql import Cluster, Server, address_of


@contextmanager
def living(database: PostgresqlDatabase) -> Iterator[ProcessLock]:
    lock = database.process_lock()
    try:
        yield lock
    finally:
        lock.release()


@pytest.fixture
def shared(postgresql_url: str) -> Iterator[PostgresqlDatabase]:
    database = PostgresqlDatabase(address_of(postgresql_url))
    yield database
    database.close()


def test_the_ended_are_dead_and_the_living_are_not(shared: PostgresqlDatabase) -> None:
    with living(shared) as mine, living(shared) as other:
        began = time.monotonic()
        assert mine.dead([mine.id, other.id]) == frozenset()
        assert time.monotonic() - began < GRACE / 2, "it waited although nobody was missing"
        gone = other.id
        other.release()
        assert mine.dead([mine.id, gone, "p_never_seen"]) == {gone, "p_never_seen"}


def test_the_living_outlast_a_restart_of_the_server(shared: PostgresqlDatabase, postgresql: Server) -> None:
    if not isinstance(postgresql, Cluster):
        pytest.skip("PostgreSQL: a server that was given is not restarted by tests")
    with living(shared) as old:
        postgresql.restart()
        with living(shared) as starting:
            assert starting.dead([old.id]) == frozenset(), "a start right after a restart called a living process dead"


def lose_sessions(database: PostgresqlDatabase) -> None:
    with database.turn() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )


def test_a_lost_session_is_noticed_and_the_lock_taken_again(shared: PostgresqlDatabase) -> None:
    with living(shared) as mine, living(shared) as other:
        lose_sessions(shared)
        assert mine.dead([other.id]) == frozenset()
        assert other.dead([mine.id]) == frozenset()


def test_whoever_does_not_come_back_is_dead(shared: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter-proof: without the thread that looks after the lock, a lost session is a death."""
    monkeypatch.setattr(processes, "LOOK_EVERY", 3600)
    with living(shared) as mine, living(shared) as other:
        lose_sessions(shared)
        assert mine.dead([other.id]) == {other.id}


def test_two_who_look_at_once_agree(shared: PostgresqlDatabase) -> None:
    found: list[frozenset[str]] = []
    with living(shared) as mine, living(shared) as other:
        threads = [
            threading.Thread(target=lambda lock=lock: found.append(lock.dead(["p_gone"]))) for lock in (mine, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert found == [{"p_gone"}, {"p_gone"}]
