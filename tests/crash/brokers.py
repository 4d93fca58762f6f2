"""Four brokers over one database, each a process of its own, and callers who reach now one of them, now another."""

import asyncio
import itertools
import os
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from audit import verify
from broker import cli
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from broker.signing import SigningKey
from connectors.departments.fleet import Fleet
from policies.vocabulary import Person
from tests.crash.forked import Child, Speaker, fork
from tests.faults.serving import Folder, found
from tests.ports import free_port

PROCESSES = 4
STARTS_WITHIN = 60.0
MOSTLY = 0.7


def serve(speaker: Speaker, config: Path) -> None:
    """`broker serve`, whose word that it is ready goes to whoever started it."""
    os.dup2(speaker.said.fileno(), sys.stdout.fileno())
    log = os.open(config.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stderr.fileno())
    sys.argv = ["broker", "serve", "--config", str(config)]
    cli.main()


@dataclass
class Broker:
    """One of the processes, and the port that is its own through every life."""

    config: Path
    port: int
    child: Child

    @property
    def ready(self) -> bool:
        return any("ready" in line for line in self.child.said)


class Somewhere(AbstractResolver):
    """Whatever the name, one of the living brokers, by chance."""

    def __init__(self, somewhere: Callable[[], Awaitable[int]]) -> None:
        self._somewhere = somewhere

    async def resolve(self, host: str, *_: object, **__: object) -> list[ResolveResult]:
        there = await self._somewhere()
        return [ResolveResult(hostname=host, host="127.0.0.1", port=there, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@dataclass
class Brokers:
    """All of them. Whoever starts them ends them."""

    folder: Folder
    chance: random.Random
    each: list[Broker] = field(default_factory=list)
    sessions: list[aiohttp.ClientSession] = field(default_factory=list)
    called: int = 0
    """The port of the one that was called last."""

    def start(self, config: Path, port: int) -> Broker:
        broker = Broker(config, port, fork(serve, config))
        self.each.append(broker)
        return broker

    def kill(self, broker: Broker) -> Broker:
        """Kill -9, at whatever it is; started again at once, on the same port. The new one, not yet ready."""
        self.each.remove(broker)
        broker.child.kill()
        return self.start(broker.config, broker.port)

    def victim(self) -> Broker:
        """Mostly the one called last, which is likely to be at an exchange; else any, ready or not."""
        last = [broker for broker in self.each if broker.port == self.called]
        return self.chance.choice(last if last and self.chance.random() < MOSTLY else self.each)

    async def all_ready(self) -> None:
        async with asyncio.timeout(STARTS_WITHIN):
            while not all(broker.ready for broker in self.each):
                for broker in self.each:
                    assert broker.child.process.is_alive(), broker.config.with_suffix(".log").read_text()[-2000:]
                await asyncio.sleep(0.01)

    async def enough_ready(self, least: int) -> None:
        """So many go on: on a busy machine kills must not come faster than starts."""
        async with asyncio.timeout(STARTS_WITHIN):
            while sum(broker.ready for broker in self.each) < least:  # noqa: ASYNC110 - said by another process
                await asyncio.sleep(0.01)

    async def somewhere(self) -> int:
        """The port of a broker that is ready; waits where there is none."""
        end = time.monotonic() + STARTS_WITHIN
        while not (ready := [broker.port for broker in self.each if broker.ready]):
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        self.called = self.chance.choice(ready)
        return self.called

    def session(self) -> aiohttp.ClientSession:
        """Each call goes to another broker; cookies go with it."""
        connector = aiohttp.TCPConnector(resolver=Somewhere(self.somewhere), force_close=True, use_dns_cache=False)
        session = aiohttp.ClientSession(connector=connector)
        session._retry_connection = False  # it would send a GET again with the same token, which is a replay
        self.sessions.append(session)
        return session

    def centre(self, name: str = "yz-hpf") -> RequesterClient:
        return self.folder.centre(self.session(), name)

    async def phone(self, person: Person) -> Phone:
        phone = Phone(self.session(), self.folder.settings.issuer, person, SigningKey.generate())
        assert (await phone.sign_in()).status == 204
        assert (await phone.enrol()).status == 201
        return phone

    def keep(self, reply: Reply) -> None:
        """Hold an answer's receipt against its results at once, and against the log at the end."""
        receipt: Mapping[str, str] = reply.members["receipt"]
        verify.verify_receipt(receipt, self.folder.vkey, reply.members["results"])
        self.folder.receipts.append(receipt)


@asynccontextmanager
async def four_brokers(folder: Path, fleet: Fleet, database: str, chance: random.Random) -> AsyncIterator[Brokers]:
    """Four brokers, ready. What they wrote is for whoever asks to check, after their end."""
    # A name, not an address: what it leads to is ours to say
    brokers = Brokers(found(folder, fleet, database, "localhost"), chance)
    try:
        for number in range(PROCESSES):
            port = free_port()
            brokers.start(brokers.folder.second(f"broker-{number}", port), port)
        await brokers.all_ready()
        yield brokers
    finally:
        for session in brokers.sessions:
            await session.close()
        for broker in brokers.each:
            broker.child.process.terminate()
        for broker in brokers.each:
            await asyncio.to_thread(broker.child.end)


def check_living(entries: list[dict[str, Any]]) -> None:
    """Only a dead process's exchange is closed by others: nothing of that process comes after.

    A living one closes its own where the ledger failed it and it is asked again: the new admission is the next entry.
    """
    closed: set[str] = set()
    for entry, after in itertools.pairwise([*entries, {"event": "", "body": {}}]):
        body = entry["body"]
        if entry["event"] == "exchange.interrupted":
            same = {name: body[name] for name in ("process", "exchange")}
            if after["event"] != "exchange.admitted" or same != {name: after["body"][name] for name in same}:
                closed.add(body["process"])
        elif entry["event"] == "exchange.admitted":
            assert body["process"] not in closed, "a starting process closed the exchange of a living one"
