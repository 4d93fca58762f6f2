"""The ledger over PostgreSQL: threads, processes, kill -9, and every way to leave a commit in doubt."""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from audit.batch import Transaction
from audit.errors import LedgerUnavailable
from broker.postgresql import PostgresqlDatabase
from policies.strict_yaml import ConfigurationError
from tests.faults.appenders import Appender, held_against
from tests.faults.ledger_file import LedgerFile, found, note, opened, state, wall_clock
from tests.postgresql import Cluster, Server, address_of, plain

CALLERS, EACH, PROCESSES, UNITS = 8, 20, 4, 80
SOON = 4.0
"""Seconds in which a caller must have been told; two and a half are meant, the rest is for a busy machine."""


@pytest.fixture
def place(postgresql_url: str) -> str:
    found(postgresql_url)
    return postgresql_url


@pytest.fixture
def own(postgresql: Server) -> Cluster:
    if not isinstance(postgresql, Cluster):
        pytest.skip("PostgreSQL: a server that was given is not restarted, frozen or reconfigured by tests")
    return postgresql


@contextmanager
def configured(server: Cluster, name: str, value: str) -> Iterator[None]:
    """Change one of the server's settings, as an administrator would while it runs."""
    reload = "SELECT pg_reload_conf()"
    server.execute(f"ALTER SYSTEM SET {name} = '{value}'", reload)
    try:
        yield
    finally:
        server.execute(f"ALTER SYSTEM RESET {name}", reload)


def refused_soon(log: LedgerFile, name: str) -> LedgerUnavailable:
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable) as raised:
        log.ledger.record(note(name)).result(20)
    assert time.monotonic() - began < SOON
    assert log.ledger.trouble
    return raised.value


def test_many_callers_share_commits_and_every_receipt_holds(tmp_path: Path, place: str) -> None:
    with opened(tmp_path, url=place) as log:

        def caller(number: int) -> None:
            for turn in range(EACH):
                log.acknowledged(log.ledger.record(note(f"c{number}-{turn}", 1 + turn % 3)).result(20))

        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(caller, range(CALLERS)))
        report = log.check()
        assert len(log.receipts) == report.checkpoint.size > CALLERS * EACH


def test_a_unit_that_fails_leaves_nothing_and_disturbs_nobody(tmp_path: Path, place: str) -> None:
    def collides(transaction: Transaction) -> None:
        for _ in range(2):
            transaction.connection.execute(insert(state).values(name="a-secret-value", index=0))

    with opened(tmp_path, url=place) as log:
        futures = [log.ledger.record(work) for work in (note("before"), collides, note("after"))]
        log.acknowledged(futures[0].result(20))
        with pytest.raises(DBAPIError, match="duplicate key"):
            futures[1].result(20)
        log.acknowledged(futures[2].result(20))
        assert log.names() == ["before", "after"]
        log.check()


def test_several_processes_append_and_one_is_killed(tmp_path: Path, place: str) -> None:
    seed = int(os.environ.get("FAULTS_SEED", wall_clock()))
    sys.stdout.write(f"FAULTS_SEED={seed}\n")
    chance = random.Random(seed)
    appenders = [Appender(place, f"p{number}", 0, UNITS, hold=True) for number in range(PROCESSES)]
    assert all(appender.ready.wait(60) for appender in appenders)
    for appender in appenders:
        appender.go()
    victim = appenders[chance.randrange(PROCESSES)]
    victim.kill_after(chance.randrange(UNITS // 8, UNITS // 2))
    ends = {appender.end() for appender in appenders if appender is not victim}
    assert (victim.end(), ends) == (-signal.SIGKILL, {0})
    with opened(tmp_path, url=place) as log:
        promised = held_against(log, appenders)
        assert promised >= (PROCESSES - 1) * UNITS + UNITS // 8
        assert 0 <= len(log.rows()) - promised <= 6, "what the dead process had queued, at most"
        names = log.names()
        switches = sum(a.split("-")[0] != b.split("-")[0] for a, b in pairwise(names))
        assert switches > PROCESSES, "the processes never ran at once"
        log.record("afterwards")
        log.check()


def test_a_server_restarted_under_load_loses_nothing_acknowledged(tmp_path: Path, place: str, own: Cluster) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []
    done = threading.Event()

    def load(number: int) -> None:
        turn = 0
        while not done.is_set():
            name, turn = f"c{number}-{turn}", turn + 1
            try:
                log.acknowledged(log.ledger.record(note(name)).result(20))
                acknowledged.append(name)
            except LedgerUnavailable:
                refused.append(name)
                time.sleep(0.02)

    with opened(tmp_path, url=place) as log:
        with ThreadPoolExecutor(CALLERS) as callers:
            running = [callers.submit(load, number) for number in range(CALLERS)]
            for _ in range(2):
                time.sleep(0.5)
                own.restart()
            before = len(acknowledged)
            log.record("healed")
            time.sleep(0.5)
            done.set()
            for future in running:
                future.result(30)
        assert refused
        assert len(acknowledged) > before > CALLERS, "it did not go on by itself"
        assert set(acknowledged) <= set(log.rows()), "acknowledged and lost"
        log.check()


def test_a_commit_that_waits_for_its_standby_is_refused_in_time_and_may_stand(
    tmp_path: Path, place: str, own: Cluster
) -> None:
    with opened(tmp_path, url=place) as log:
        log.record("earlier")
        with configured(own, "synchronous_standby_names", "nobody"):
            time.sleep(0.2)
            assert "no answer" in str(refused_soon(log, "doubtful"))
        log.record("later")
        assert log.names() == ["earlier", "doubtful", "later"]
        log.check()


def test_a_wait_for_the_standby_that_is_cancelled_is_no_acknowledgement(
    tmp_path: Path, place: str, own: Cluster
) -> None:
    """The server answers such a COMMIT as done, with a warning only."""
    waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with opened(tmp_path, url=place) as log:
        log.record("earlier")
        with configured(own, "synchronous_standby_names", "nobody"):
            time.sleep(0.2)
            future = log.ledger.record(note("doubtful"))
            while not own.execute(waiting):
                time.sleep(0.01)
            with pytest.raises(LedgerUnavailable, match="in doubt"):
                future.result(10)
        log.record("later")
        log.check()


def test_a_server_that_stands_still_is_said_so_in_time(tmp_path: Path, place: str, own: Cluster) -> None:
    with opened(tmp_path, url=place) as log:
        log.record("earlier")
        own.freeze()
        try:
            refused_soon(log, "doubtful")
            with pytest.raises(LedgerUnavailable):
                log.ledger.record(note("refused at once"))
            began = time.monotonic()
            with pytest.raises(DBAPIError):
                log.names()
            assert time.monotonic() - began < 2 * SOON
        finally:
            own.thaw()
        log.record("later")
        assert "refused at once" not in log.names()
        log.check()


def test_somebody_who_holds_the_head_stops_nobody_for_long(tmp_path: Path, place: str) -> None:
    with opened(tmp_path, url=place) as log, psycopg.connect(plain(place)) as holder:
        holder.execute("SELECT * FROM audit_head FOR UPDATE")
        assert "lock timeout" in str(refused_soon(log, "refused"))
        holder.rollback()
        log.record("later")
        assert log.names() == ["later"]
        log.check()


def test_a_writer_that_stops_in_its_turn_is_ended_by_the_server(tmp_path: Path, place: str) -> None:
    with opened(tmp_path, url=place) as log:
        stopped = PostgresqlDatabase(address_of(place))

        def hold() -> None:
            with stopped.turn() as connection:
                connection.execute(text("SELECT * FROM audit_head FOR UPDATE"))
                log.record("goes on")  # within ten seconds, while the other still holds its turn
                connection.execute(text("SELECT 1"))

        with pytest.raises(DBAPIError):
            hold()
        stopped.close()
        log.check()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_an_unsafe_server_refuses_to_start_and_stops_what_runs(
    tmp_path: Path, place: str, own: Cluster, name: str
) -> None:
    with opened(tmp_path, url=place) as log:
        log.record("earlier")
        with configured(own, name, "off"):
            time.sleep(0.2)
            with pytest.raises(ConfigurationError, match=f"test:1: .*{name}=off"):
                PostgresqlDatabase(address_of(place))
            refused_soon(log, "refused")
            with pytest.raises(LedgerUnavailable, match=f"{name}=off"):
                log.ledger.record(note("refused"))
        log.record("later")
        assert log.names() == ["earlier", "later"]
