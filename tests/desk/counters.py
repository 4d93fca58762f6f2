"""A centre with a desk of its own: registered at the broker, founded in a folder, running as a process."""

import asyncio
import json
import os
import sys
import threading
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from audit.batch import Transaction
from broker import requesters
from broker.desk import clerks
from broker.desk.app import make_desk_server
from broker.desk.founding import CONFIGURATION, NewDesk, card_of, found_desk
from broker.desk.settings import read_desk_settings
from broker.desk.store import Store
from broker.listening import listen_on
from broker.requesters import Requester
from broker.telemetry import open_log
from tests.ports import free_port
from tests.world import MATTER, World

ROOT = Path(__file__).resolve().parents[2]
PIN = "418263"
CLERK = ("w-07", "陈科员")
COLLEAGUE = ("w-08", "李科员")
DESK = "3号窗口"


@dataclass
class Counter:
    """One centre's desk. `process` is there once it was started."""

    folder: Path
    requester: str
    address: str
    process: Process | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / CONFIGURATION

    @property
    def log(self) -> str:
        return (self.folder / "desk.log").read_text(encoding="utf-8")

    def change(self, **members: Any) -> None:
        """Change the configuration before the start."""
        given = yaml.safe_load(self.config.read_text(encoding="utf-8")) | members
        self.config.write_text(yaml.safe_dump(given, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def kept(self) -> bytes:
        """Every byte of the database and whatever stands beside it."""
        return b"".join(file.read_bytes() for file in sorted(self.folder.glob("desk.db*")))

    async def start(self) -> None:
        with (self.folder / "desk.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "broker", "desk", "--config", str(self.config), "--end-with-stdin"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert line, self.log
        assert json.loads(line)["ready"] is True

    async def end(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 15)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def found(
    world: World, folder: Path, requester: str, prefix: str = "YZ", *, matters: tuple[str, ...] = (MATTER,)
) -> Counter:
    """Founded, its key registered, two clerks in it; not started yet."""
    new = NewDesk(
        world.issuer,
        world.vkey,
        requester,
        "扬州市住房公积金管理中心",
        "Yangzhou Fund Centre",
        prefix,
        (DESK,),
        matters,
        free_port(),
    )
    config = await asyncio.to_thread(found_desk, folder, new)
    settings = read_desk_settings(config)
    (folder / "card.json").write_text(json.dumps(card_of(settings)), encoding="utf-8")
    entry = Requester(requester, settings.name.zh, settings.name.en, frozenset(matters), suspended=False)

    def register(transaction: Transaction) -> None:
        requesters.register(transaction, entry)
        requesters.add_key(transaction, requester, settings.key.public)

    await world.broker.storage.record(register)
    store = Store(settings.database)
    for number, name in (CLERK, COLLEAGUE):
        store.now(lambda connection, number=number, name=name: clerks.add(connection, number, name, PIN))  # type: ignore[misc]
    store.close()
    return Counter(folder, requester, settings.address)


@asynccontextmanager
async def in_a_thread(counter: Counter) -> AsyncIterator[None]:
    """The same program on the same port without a process of its own, which takes seconds to start."""
    settings = read_desk_settings(counter.config)
    with (counter.folder / "desk.log").open("a", encoding="utf-8") as log:
        server = make_desk_server(settings, Store(settings.database), open_log(log))
        listener = listen_on(settings.listen.host, settings.listen.port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            await asyncio.to_thread(thread.join, 20)


@asynccontextmanager
async def running(*counters: Counter) -> AsyncIterator[None]:
    try:
        await asyncio.gather(*(counter.start() for counter in counters))
        yield
    finally:
        await asyncio.gather(*(counter.end() for counter in counters))
