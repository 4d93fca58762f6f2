"""What runs while the story is told: four departments, a broker of its own process, two fund centres, one phone."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from audit.batch import Transaction
from broker import requesters
from broker.client import RequesterClient
from broker.demo.identity_process import SECRET, IdentityProcess
from broker.demo.phone import Phone, open_phone
from broker.demo.report import NotAsItShouldBe, Told
from broker.founding import CONFIGURATION, found_broker
from broker.keys import read_keys
from broker.listening import listen_on
from broker.requesters import Requester
from broker.secret_files import write_secret
from broker.settings import Settings
from broker.signing import SigningKey
from broker.storage import Storage
from broker.wiring import open_storage
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU

MATTER: Final = "purchase_withdrawal"
CENTRE: Final = Requester(
    "yz-hpf", "扬州市住房公积金管理中心", "Yangzhou Housing Fund Centre", frozenset({MATTER}), suspended=False
)
STRANGER: Final = Requester(
    "nj-hpf", "南京住房公积金管理中心", "Nanjing Housing Fund Centre", frozenset({MATTER}), suspended=False
)
DATABASE: Final = "broker.db"
SERVER_LOG: Final = "broker.log"
_ROOT: Final = Path(__file__).resolve().parents[2]
_READY_SECONDS: Final = 30
_END_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs. `vkey` was taken from the broker's own key file, never from what the server says."""

    folder: Path
    settings: Settings
    vkey: str
    centre: RequesterClient
    stranger: RequesterClient
    phone: Phone
    provider: str
    """The test identity provider's address, where one runs."""


async def start_departments(folder: Path, stack: AsyncExitStack) -> Told[Fleet]:
    """Four processes, each with its own store; `stack` ends them. Raises RuntimeError."""
    fleet = stack.enter_context(Fleet.start(folder / "departments"))
    return Told(fleet, "不动产 REST+JSON · 税务 SQL · 民政 XML · 北京公积金 HMAC+JSON")


async def start_broker(folder: Path, fleet: Fleet, stack: AsyncExitStack, *, for_people: bool) -> Told[Stage]:
    """Found a broker, register both centres, start it as a process that `stack` ends. Raises NotAsItShouldBe.

    `for_people`: somebody will look at it with a browser, so it gets an identity provider and a name of its own.
    """
    provider = await _start_provider(folder, stack) if for_people else None
    settings = _found(folder, fleet, provider)
    vkey = read_keys(settings.secrets, settings.log_origin).log.vkey
    keys = {centre.id: _new_key(folder / "requesters" / f"{centre.id}.pem") for centre in (CENTRE, STRANGER)}
    await asyncio.to_thread(_register, settings, keys)
    await _serve(folder, stack)
    http = await stack.enter_async_context(aiohttp.ClientSession())
    phone = open_phone(settings.issuer, XU)
    stack.push_async_callback(phone.http.close)
    stage = Stage(
        folder=folder,
        settings=settings,
        vkey=vkey,
        centre=RequesterClient(http, settings.issuer, CENTRE.id, keys[CENTRE.id]),
        stranger=RequesterClient(http, settings.issuer, STRANGER.id, keys[STRANGER.id]),
        phone=phone,
        provider=provider.issuer if provider is not None else "",
    )
    return Told(stage, f"{settings.issuer}，登记了 {CENTRE.name_zh} with {CENTRE.name_en}")


async def _start_provider(folder: Path, stack: AsyncExitStack) -> IdentityProcess:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    provider = stack.enter_context(IdentityProcess.launch(secrets / SECRET))  # before anything can interrupt us
    await asyncio.to_thread(provider.wait_until_ready)
    return provider


def _found(folder: Path, fleet: Fleet, provider: IdentityProcess | None) -> Settings:
    host = "127.0.0.1" if provider is None else "localhost"  # browsers keep no passkeys for a bare address
    with listen_on("127.0.0.1", 0) as free:
        port: int = free.getsockname()[1]
    return found_broker(
        folder,
        issuer=f"http://{host}:{port}",
        port=port,
        routes=fleet.routes_file.relative_to(folder),
        route_secrets=fleet.secrets_folder.relative_to(folder),
        test_identity=True,
        openid=provider.block if provider is not None else None,
    )


def _new_key(file: Path) -> SigningKey:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    key = SigningKey.generate()
    write_secret(file, key.pem())
    return key


def _register(settings: Settings, keys: dict[str, SigningKey]) -> None:
    """What `broker requesters add` does, for both centres."""

    def work(transaction: Transaction) -> None:
        for centre in (CENTRE, STRANGER):
            requesters.register(transaction, centre)
            requesters.add_key(transaction, centre.id, keys[centre.id].public)

    with opened_storage(settings) as storage:
        storage.ledger.record(work).result()


@contextmanager
def opened_storage(settings: Settings) -> Iterator[Storage]:
    """The database and the one door, beside a running server if there is one."""
    database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin))
    try:
        yield storage
    finally:
        storage.ledger.close()
        database.close()


async def _serve(folder: Path, stack: AsyncExitStack) -> None:
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with (folder / SERVER_LOG).open("xb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "broker", "serve", "--config", str(folder / CONFIGURATION), "--end-with-stdin"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    stack.push_async_callback(_end, process)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _READY_SECONDS)
        ready = json.loads(line)["ready"] is True
    except (TimeoutError, ValueError, KeyError):
        ready = False
    if not ready:
        raise NotAsItShouldBe(f"the broker should be ready within {_READY_SECONDS} s; see {SERVER_LOG} (--keep DIR)")


async def _end(process: Process) -> None:
    """An orderly end; a Ctrl-C reaches the broker too, so it may be gone already."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _END_SECONDS)
    finally:
        # also where a second Ctrl-C ends the waiting
        if process.returncode is None:
            process.kill()
            await process.wait()
