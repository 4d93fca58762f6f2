"""Brokers over one database, each a real `broker serve`: one lives through it all, the others are killed."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import aiohttp

from tests.crash.brokers import STARTS_WITHIN, Somewhere
from tests.faults.serving import ROOT, Folder
from tests.ports import free_port

END_SECONDS: Final = 30


@dataclass
class Broker:
    """One process, and the port that is its own through every life."""

    name: str
    config: Path
    port: int
    child: "subprocess.Popen[bytes]"
    log: BinaryIO
    life: int
    ready: bool = False

    async def listens(self) -> None:
        """Returns when it said that it does."""
        assert self.child.stdout is not None
        async with asyncio.timeout(STARTS_WITHIN):
            line = await asyncio.to_thread(self.child.stdout.readline)
        assert line, f"{self.name} did not start: {self._last_words()}"
        assert json.loads(line)["ready"] is True
        self.ready = True

    def _last_words(self) -> str:
        return Path(self.log.name).read_text(encoding="utf-8")[-2000:]

    def end(self, *, kill: bool = False) -> int:
        if kill:
            self.child.kill()
        else:
            self.child.terminate()
        status = self.child.wait(END_SECONDS)
        assert self.child.stdout is not None
        self.child.stdout.close()
        self.log.close()
        return status


@dataclass
class Brokers:
    """All of them. Whoever starts them ends them; the first is never killed, so that what grows slowly is seen."""

    folder: Folder
    chance: random.Random
    each: list[Broker] = field(default_factory=list)
    sessions: list[aiohttp.ClientSession] = field(default_factory=list)

    async def start(self, number: int) -> None:
        for place in range(number):
            port = free_port()
            name = f"broker-{place}"
            self.each.append(_start(name, self.folder.second(name, port), port, 0))
        await asyncio.gather(*(broker.listens() for broker in self.each))

    async def kill_one(self) -> str:
        """Kill -9 one of those that may be, and start it again; its name."""
        place = self.chance.randrange(1, len(self.each))
        dying = self.each[place]
        dying.ready = False
        await asyncio.to_thread(dying.end, kill=True)
        self.each[place] = _start(dying.name, dying.config, dying.port, dying.life + 1)
        await self.each[place].listens()
        return dying.name

    async def somewhere(self) -> int:
        end = time.monotonic() + STARTS_WITHIN
        while not (ready := [broker.port for broker in self.each if broker.ready]):
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        return self.chance.choice(ready)

    def session(self) -> aiohttp.ClientSession:
        """Each call goes to another broker; cookies go with it."""
        connector = aiohttp.TCPConnector(resolver=Somewhere(self.somewhere), force_close=True, use_dns_cache=False)
        session = aiohttp.ClientSession(connector=connector)
        session._retry_connection = False  # it would send a GET again with the same token, which is a replay
        self.sessions.append(session)
        return session

    async def end(self) -> list[int]:
        """End all in order; their exit statuses."""
        for session in self.sessions:
            await session.close()
        return await asyncio.gather(*(asyncio.to_thread(broker.end) for broker in self.each))


def _start(name: str, config: Path, port: int, life: int) -> Broker:
    command = [sys.executable, "-m", "broker", "serve", "--config", str(config)]
    log = config.with_suffix(".log").open("ab")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, cwd=ROOT)
    return Broker(name, config, port, child, log, life)
