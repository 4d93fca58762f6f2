"""Every process is replaced while people and centres call, on new connections and kept ones: not one call fails.

Nothing is tried again: a connection refused, reset or closed under a call is a failed call, and so is any answer but
the right one. Kept connections are given up by the caller after less time at rest than a leaving process stays.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from broker.demo.phone import Phone
from broker.settings import read_settings
from broker.signing import SigningKey
from connectors.departments.fleet import Fleet
from connectors.departments.people import LIN, NO_HOME, UNMARRIED, XU
from policies.strict_yaml import ConfigurationError
from policies.vocabulary import Person
from tests.deployment.units import PATIENCE, Unit, listening, units
from tests.faults.serving import Folder, found, grant, pull_members
from tests.faults.test_kill import USES
from tests.world import letters

LEAVE_SECONDS = 3
AT_REST = 1.0
PEOPLE = ((XU, False), (LIN, False), (UNMARRIED, True), (NO_HOME, True))
"""Who calls, and whether on kept connections."""


@dataclass
class Load:
    """Callers who go on until they are told to stop, and never try anything again."""

    folder: Folder
    over: bool = False
    answered: int = 0
    reused: int = 0
    sessions: list[aiohttp.ClientSession] = field(default_factory=list)

    def session(self, *, kept: bool) -> aiohttp.ClientSession:
        async def reuse(*_: object) -> None:
            self.reused += 1

        watch = aiohttp.TraceConfig()
        watch.on_connection_reuseconn.append(reuse)
        connector = aiohttp.TCPConnector(keepalive_timeout=AT_REST) if kept else aiohttp.TCPConnector(force_close=True)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        cookies = aiohttp.CookieJar(unsafe=True)  # kept for an address, too
        session = aiohttp.ClientSession(connector=connector, timeout=timeout, trace_configs=[watch], cookie_jar=cookies)
        session._retry_connection = False  # it would hide a closed connection behind a second try
        self.sessions.append(session)
        return session

    async def go_on(self, person: Person, *, kept: bool) -> None:
        centre = self.folder.centre(self.session(kept=kept), f"centre-{letters()[:8]}")
        phone = Phone(self.session(kept=kept), self.folder.settings.issuer, person, SigningKey.generate())
        assert (await phone.sign_in()).status == 204
        assert (await phone.enrol()).status == 201
        while not self.over:
            consent = await grant(centre, phone)
            for _ in range(USES):
                reply = await centre.exchange(**pull_members(f"roll-{letters()}", consent))
                assert reply.status == 200, reply.members
                self.folder.receipts.append(reply.members["receipt"])
                self.answered += 1

    async def more(self, count: int) -> None:
        """Until so many more have been answered."""
        enough = self.answered + count
        async with asyncio.timeout(PATIENCE):
            while self.answered < enough:  # noqa: ASYNC110 - counted by others
                await asyncio.sleep(0.01)


@asynccontextmanager
async def load(folder: Folder) -> AsyncIterator[Load]:
    running = Load(folder)
    try:
        async with asyncio.TaskGroup() as callers:
            for person, kept in PEOPLE:
                callers.create_task(running.go_on(person, kept=kept))
            await running.more(8)
            yield running
            running.over = True
    finally:
        for session in running.sessions:
            await session.close()


@contextmanager
def deployed(
    place: Path, fleet: Fleet, database: str, count: int, *, own_only: bool = False
) -> Iterator[tuple[Folder, list[Unit]]]:
    """So many processes, on a shared socket at the issuer's port, or with somebody else at that port."""
    folder = found(place, fleet, database)
    text = folder.config.read_text(encoding="utf-8")
    port = f"  port: {folder.settings.port}\n"
    folder.config.write_text(text.replace(port, f"{port}  leave_seconds: {LEAVE_SECONDS}\n"), encoding="utf-8")
    with listening(0 if own_only else folder.settings.port) as shared, units(folder.config, shared, count) as running:
        yield folder, running


async def replace(unit: Unit, calling: Load) -> None:
    """What `systemctl restart` does."""
    await asyncio.to_thread(unit.tell_to_end)
    assert await asyncio.to_thread(unit.wait) == -signal.SIGTERM
    await asyncio.to_thread(unit.start)
    await calling.more(4)


async def test_two_processes_one_after_the_other(tmp_path: Path, fleet: Fleet, store: str) -> None:
    with deployed(tmp_path, fleet, store, 2) as (folder, running):
        async with load(folder) as calling:
            for unit in running:
                await replace(unit, calling)
        assert calling.reused > 0, "no connection was kept"
    processes = {entry["body"]["process"] for entry in folder.entries() if entry["event"] == "exchange.admitted"}
    assert len(processes) >= 3, "what came after the restart went to none of the new processes"
    assert folder.check().unfinished == 0


async def test_a_single_process_whose_callers_wait_for_the_next(tmp_path: Path, fleet: Fleet) -> None:
    with deployed(tmp_path, fleet, "broker.db", 1) as (folder, running):
        async with load(folder) as calling:
            await replace(running[0], calling)
    processes = {entry["body"]["process"] for entry in folder.entries() if entry["event"] == "exchange.admitted"}
    assert len(processes) == 2
    assert folder.check().unfinished == 0


async def test_whoever_asks_hears_that_it_leaves_and_whoever_does_not_is_served(tmp_path: Path, fleet: Fleet) -> None:
    with deployed(tmp_path, fleet, "broker.db", 1) as (folder, running):
        unit, centre = running[0], "yz-hpf"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
            assert await readyz(http, unit) == (200, None, None)
            waiting = asyncio.create_task(folder.centre(http, centre).events(wait=25))
            await asyncio.to_thread(unit.tell_to_end)
            assert await readyz(http, unit) == (503, "leaving: ask another", "close")
            async with http.get(f"{unit.address}/v1/catalogue") as served:
                assert (served.status, served.headers["connection"]) == (200, "close")
            # Nobody has spoken on this one by the time the process closes
            reader, writer = await asyncio.open_connection(*unit.sockets[-1].getsockname())
            async with asyncio.timeout(PATIENCE):
                assert (await waiting).status == 200, "a long poll ends when the process closes"
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            writer.close()
            assert await asyncio.to_thread(unit.wait) == -signal.SIGTERM


async def readyz(http: aiohttp.ClientSession, unit: Unit) -> tuple[int, str | None, str | None]:
    async with http.get(f"{unit.address}/readyz") as response:
        return response.status, (await response.json())["checks"].get("process"), response.headers.get("connection")


@pytest.mark.parametrize("seconds", ["-1", "301", "soon"])
def test_an_unreasonable_time_is_refused(tmp_path: Path, seconds: str) -> None:
    file = tmp_path / "broker.yaml"
    file.write_text(f"issuer: http://127.0.0.1:1\nlisten:\n  leave_seconds: {seconds}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broker\.yaml:3: "):
        read_settings(file)
