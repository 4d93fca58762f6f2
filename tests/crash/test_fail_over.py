"""PostgreSQL's primary dies under load and its synchronous standby takes over: nothing acknowledged is missing there.

The address names both servers, and whoever is the primary is written to. The old primary, come back alone, lacks what
was written since: the anchor refuses it.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from audit.anchor import AnchorFile
from audit.errors import LedgerUnavailable, LogForked
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, NO_HOME, UNMARRIED, XU
from tests.crash.brokers import four_brokers
from tests.crash.callers import Caller, check
from tests.crash.sizes import seeded, size
from tests.faults.appenders import Appender, all_held
from tests.faults.ledger_file import LedgerFile, found, note, opened
from tests.postgresql import Cluster, cluster

NAME = "standby"
CALLERS = 6
ROUNDS = size(1, 20)
HEALS_WITHIN = 10.0
SYNC = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"


@dataclass
class Pair:
    """A primary and its synchronous standby, and the one address of both."""

    primary: Cluster
    standby: Cluster
    url: str


@contextmanager
def pair() -> Iterator[Pair]:
    with cluster() as primary, primary.standby(NAME) as standby:
        primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'", "SELECT pg_reload_conf()")
        end = time.monotonic() + 30
        while not primary.execute(SYNC):
            assert time.monotonic() < end, "the standby never followed"
            time.sleep(0.02)
        primary.execute("CREATE DATABASE broker")
        both = f"host={primary.folder}&host={standby.folder}&target_session_attrs=read-write"
        yield Pair(primary, standby, f"postgresql://postgres@/broker?{both}")


@dataclass
class Load:
    """Callers who go on until they are told to stop."""

    log: LedgerFile
    over: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def go_on(self, number: int) -> None:
        turn = 0
        while not self.over.is_set():
            name, turn = f"c{number}-{turn}", turn + 1
            try:
                self.log.acknowledged(self.log.ledger.record(note(name)).result(30))
                self.acknowledged.append(name)
            except LedgerUnavailable:
                self.refused.append(name)
                time.sleep(0.02)

    def wait(self, more: int, seconds: float) -> None:
        """Until so many more have been acknowledged."""
        enough, end = len(self.acknowledged) + more, time.monotonic() + seconds
        while len(self.acknowledged) < enough:
            assert time.monotonic() < end, f"nothing is acknowledged any more: {self.log.ledger.trouble}"
            time.sleep(0.01)


async def test_four_brokers_follow(tmp_path: Path, fleet: Fleet) -> None:
    """Their processes live on: whoever lost its session takes its lock again, and nobody's exchange is closed."""
    chance = seeded()
    with pair() as servers:
        async with four_brokers(tmp_path, fleet, servers.url, chance) as brokers:
            centre = brokers.centre()
            callers = [Caller(brokers, centre, await brokers.phone(person)) for person in (XU, LIN, UNMARRIED, NO_HOME)]
            over = asyncio.Event()
            async with asyncio.TaskGroup() as load:
                for caller in callers:
                    load.create_task(caller.go_on(over))
                await answered(callers, 8)
                await asyncio.to_thread(servers.primary.stop)
                await asyncio.to_thread(servers.standby.promote)
                await answered(callers, 8)
                await asyncio.to_thread(brokers.kill, brokers.each[0])
                await brokers.all_ready()
                await answered(callers, 4)
                over.set()
        assert sum(caller.refused + caller.cut for caller in callers) > 0, "nobody noticed that the primary was gone"
        check(brokers, callers)


async def answered(callers: list[Caller], more: int) -> None:
    """Until so many more exchanges have been answered."""
    before, end = sum(len(caller.answered) for caller in callers), time.monotonic() + 2 * HEALS_WITHIN
    while sum(len(caller.answered) for caller in callers) < before + more:
        assert time.monotonic() < end, "nothing is answered any more"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_what_was_acknowledged_is_on_the_promoted_standby(tmp_path: Path, number: int) -> None:
    chance = seeded()
    anchor = AnchorFile(tmp_path / "anchor")
    with pair() as servers:
        found(servers.url)
        appenders = [Appender(servers.url, f"p{process}", 0, 10**6, hold=True) for process in range(2)]
        with opened(tmp_path, url=servers.url, anchor=anchor) as log, ThreadPoolExecutor(CALLERS) as callers:
            load = Load(log)
            running = [callers.submit(load.go_on, caller) for caller in range(CALLERS)]
            try:
                for appender in appenders:
                    assert appender.ready.wait(60)
                    appender.go()
                load.wait(50, 30)
                time.sleep(chance.uniform(0.5, 1.5))
                servers.primary.stop()
                before = len(load.acknowledged)
                servers.standby.promote()
                load.wait(50, HEALS_WITHIN)
            finally:
                load.over.set()
                for appender in appenders:
                    appender.process.kill()
                    appender.end()
            for future in running:
                future.result(30)
            assert load.refused, "nobody noticed that the primary was gone"
            assert len(load.acknowledged) > before
            assert set(load.acknowledged) <= set(log.rows()), "acknowledged and lost"
            promised = all_held(log, [promise for appender in appenders for promise in appender.promised])
            assert promised > 0, "the other processes never wrote"
            log.check()
        servers.primary.start()
        with pytest.raises(LogForked), opened(tmp_path, url=servers.url, anchor=anchor):
            pass
        servers.primary.stop()
        with opened(tmp_path, url=servers.url, anchor=anchor) as log:
            log.record("goes on")
            log.check()
