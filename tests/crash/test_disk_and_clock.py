"""Disk full, disk read-only, clock set back, under a real broker: nothing leaves, the reason is said, and it heals."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from broker import wiring
from broker.client import Reply, RequesterClient
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.crash.small_disk import SmallDisk, limited, mounted
from tests.crash.tracing import attached, need_strace
from tests.faults.serving import ROOT, found, grant, pull_members, signed_in
from tests.world import ITEMS, Clock, SteppedKey, World, letters, open_world

SAID_WITHIN: Final = 2.0
HEALS_WITHIN: Final = 10.0
LASTING: Final = 1.2
DISKS = {"a disk of its own": mounted, "a limit on files": limited}


async def readiness(http: aiohttp.ClientSession, issuer: str) -> tuple[int, str]:
    """(status, what is said of the ledger)."""
    async with http.get(f"{issuer}/readyz") as response:
        return response.status, str((await response.json())["checks"]["ledger"])


async def said(http: aiohttp.ClientSession, issuer: str, reason: str) -> None:
    """The reason is said in time, and for as long as it lasts."""
    end = time.monotonic() + SAID_WITHIN
    while (await readiness(http, issuer))[0] != 503:
        assert time.monotonic() < end, "nobody was told"
        await asyncio.sleep(0.02)
    end = time.monotonic() + LASTING
    while time.monotonic() < end:
        status, told = await readiness(http, issuer)
        assert status == 503, "it says that it is ready, while nothing has changed"
        assert reason in told, told
        await asyncio.sleep(0.02)


async def healed(centre: RequesterClient, members: dict[str, Any]) -> Reply:
    end = time.monotonic() + HEALS_WITHIN
    while (reply := await centre.exchange(**members)).status == 503:
        assert time.monotonic() < end, "it did not heal by itself"
        await asyncio.sleep(0.05)
    return reply


async def refused(centre: RequesterClient, consent: str, times: int = 5) -> None:
    for _ in range(times):
        reply = await centre.exchange(**pull_members(f"refused-{letters()}", consent))
        assert (reply.status, reply.code) == (503, "ledger_unavailable"), reply.members
        assert "results" not in reply.members
        assert int(reply.headers["Retry-After"]) > 0


@asynccontextmanager
async def small(folder: Path, fleet: Fleet, kind: str) -> AsyncIterator[tuple[World, SmallDisk]]:
    with DISKS[kind](folder / "small") as disk:
        async with open_world(disk.folder, fleet) as world:
            yield world, disk


@pytest.mark.parametrize("kind", DISKS)
async def test_a_full_disk(tmp_path: Path, fleet: Fleet, kind: str) -> None:
    async with small(tmp_path, fleet, kind) as (world, disk):
        centre, phone = await world.centre(), await world.phone(XU)
        consent = await world.grant(centre, phone, items=ITEMS)
        assert (await world.pull(centre, consent)).status == 200
        logged, asked = world.events(), fleet.calls("property_registry")["count"]
        disk.fill()
        try:
            await refused(centre, consent, 1)
            await said(world.http, world.issuer, "full" if kind == "a disk of its own" else "disk")
            await refused(centre, consent)
        finally:
            disk.free()
        reply = await healed(centre, pull_members(f"healed-{letters()}", consent))
        assert (reply.status, reply.members["uses"][0]["use"]) == (200, 2), "a refusal cost a use"
        world.receipts.append(reply.members["receipt"])
        assert fleet.calls("property_registry")["count"] == asked + 1, "a department was asked without a record"
        assert world.events() == [*logged, "exchange.admitted", "exchange.released"]
        assert world.check_log().unfinished == 0


async def test_a_disk_that_fills_while_a_department_is_asked(
    tmp_path: Path, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be released is closed by whoever admitted it, so that it may be repeated at any process."""
    monkeypatch.setattr(wiring, "HOUSEKEEPING", 0.3)
    async with small(tmp_path, fleet, "a disk of its own") as (world, disk):
        centre, phone = await world.centre(), await world.phone(XU)
        consent = await world.grant(centre, phone, items=ITEMS)
        fleet.set_fault("property_registry", "slow", 0.5)
        try:
            same = pull_members(f"under-way-{letters()}", consent)
            running = asyncio.create_task(centre.exchange(**same))
            while "exchange.admitted" not in world.events():
                assert not running.done()
                await asyncio.sleep(0.01)
            disk.fill()
            reply = await running
            assert (reply.status, "results" in reply.members) == (503, False), reply.members
            await said(world.http, world.issuer, "full")
        finally:
            fleet.set_fault("property_registry", "none")
            disk.free()
        end = time.monotonic() + HEALS_WITHIN
        while "exchange.interrupted" not in world.events():
            assert time.monotonic() < end, "it was never closed: at another process it would be running for ever"
            await asyncio.sleep(0.05)
        again = await healed(centre, same)
        assert (again.status, again.members["uses"][0]["use"]) == (200, 1), "the full disk cost a use"
        assert world.check_log().unfinished == 0


async def test_a_disk_that_turns_read_only(tmp_path: Path, fleet: Fleet) -> None:
    """As a file system does after an error: files stay open, and each write is refused."""
    need_strace()
    folder = found(tmp_path, fleet)
    file = tmp_path / "broker" / "broker.db"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        centre = folder.centre(http)
        process = folder.start()
        phone = await signed_in(folder.settings.issuer, XU)
        try:
            consent = await grant(centre, phone)
            paths = [word for suffix in ("", "-wal", "-shm") for word in ("-P", f"{file}{suffix}")]
            calls = "pwrite64,ftruncate,fdatasync,fsync"
            with attached(process.child.pid, *paths, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EROFS"):
                await refused(centre, consent, 1)
                await said(http, folder.settings.issuer, "")
                await refused(centre, consent)
            reply = await healed(centre, pull_members(f"healed-{letters()}", consent))
            assert (reply.status, reply.members["uses"][0]["use"]) == (200, 1), reply.members
            folder.receipts.append(reply.members["receipt"])
        finally:
            await phone.http.close()
            process.end()
    assert sum(entry["event"] == "exchange.admitted" for entry in folder.entries()) == 1
    assert folder.check().unfinished == 0


def test_a_start_on_a_read_only_disk_says_so_in_one_sentence(tmp_path: Path, fleet: Fleet) -> None:
    with mounted(tmp_path / "small") as disk:
        folder = found(disk.folder, fleet)
        disk.turn_read_only()
        command = [sys.executable, "-m", "broker", "serve", "--config", str(folder.config)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode not in {0, 1}, done.stderr
        assert "Traceback" not in done.stderr
        assert "ead-only" in done.stderr or "readonly" in done.stderr, done.stderr


async def test_a_clock_set_back(world: World, fleet: Fleet) -> None:
    """The centre's own clock stays right: it is the broker's that is wrong."""
    centre, phone = await world.centre(), await world.phone(XU)
    centre = replace(centre, key=SteppedKey(centre.key.private, centre.key.public, Clock()))
    consent = await world.grant(centre, phone, items=ITEMS)
    assert (await world.pull(centre, consent)).status == 200
    asked, logged = fleet.calls("property_registry")["count"], len(world.entries())
    world.clock.advance(-120)
    await refused(centre, consent, 1)
    await said(world.http, world.issuer, "clock")
    await refused(centre, consent)
    assert (fleet.calls("property_registry")["count"], len(world.entries())) == (asked, logged)
    world.clock.advance(120)
    reply = await healed(centre, pull_members(f"healed-{letters()}", consent))
    assert (reply.status, reply.members["uses"][0]["use"]) == (200, 2)
    world.check_log()
