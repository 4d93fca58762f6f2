"""A whole small world: a real broker on a real port, a clock that can be stepped, real departments and phones.

`check_log` is called after every journey: it exports the log, verifies it with the pinned key and no server code, and
holds every receipt ever handed out against it.
"""

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from sqlalchemy import select

from audit import tables, verify
from audit.tiles import export
from broker import requesters
from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone, open_phone, ticket_of
from broker.founding import found_broker
from broker.listening import listen_on
from broker.requesters import Requester
from broker.server import make_server
from broker.settings import Settings
from broker.signing import SigningKey
from broker.telemetry import Telemetry, open_log
from broker.wiring import Broker
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from policies.vocabulary import Person
from tests.quick_catalogue import catalogue_from_memory
from tests.quick_schema import schema_from_memory

MATTER = "purchase_withdrawal"
ITEMS = ["real_estate_registration", "deed_tax", "marriage_check_single", "hpf_remote_account"]
OPERATOR = {"id": "clerk-07", "name": "陈科员", "desk": "3号窗口"}


def letters() -> str:
    """A random name without digits: fifteen in a row would be refused as somebody's id-card number."""
    return uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))


class Clock:
    """The wall clock plus a step, in microseconds."""

    def __init__(self) -> None:
        self.step = 0

    def __call__(self) -> int:
        return time.time_ns() // 1000 + self.step

    def advance(self, seconds: float) -> None:
        self.step += int(seconds * 1_000_000)


@dataclass(frozen=True, slots=True)
class SteppedKey(SigningKey):
    """A key whose holder goes by the world's clock."""

    clock: Clock

    @classmethod
    def at(cls, clock: Clock, alg: str) -> "SteppedKey":
        key = SigningKey.generate(alg)
        return cls(key.private, key.public, clock)

    def short_lived(self, typ: str, *, iss: str, aud: str, members: dict[str, Any], life: int = 60) -> str:
        now = self.clock() // 1_000_000
        times = {"iat": now, "exp": now + life}
        return SigningKey.short_lived(self, typ, iss=iss, aud=aud, members=times | members, life=life)


@dataclass
class World:
    """One broker and the people around it."""

    folder: Path
    broker: Broker
    clock: Clock
    fleet: Fleet
    http: aiohttp.ClientSession
    log: StringIO
    receipts: list[Mapping[str, str]] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    closing: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What else has to be closed at the end."""
    broker_app: Any = None

    @property
    def issuer(self) -> str:
        return self.broker.settings.issuer

    async def centre(
        self, name: str = "yz-hpf", *, alg: str = "ES256", matters: tuple[str, ...] = (MATTER,)
    ) -> RequesterClient:
        """Register a fund centre with a new key."""
        key = SteppedKey.at(self.clock, alg)
        entry = Requester(
            name, f"{name} 住房公积金管理中心", f"{name} housing fund centre", frozenset(matters), suspended=False
        )

        def work(transaction: Any) -> None:
            requesters.register(transaction, entry)
            requesters.add_key(transaction, name, key.public)

        await self.broker.storage.record(work)
        return RequesterClient(self.http, self.issuer, name, key)

    async def phone(self, person: Person = XU, *, alg: str = "ES256", level: str = "high") -> Phone:
        """A signed-in phone with an enrolled device."""
        phone = open_phone(self.issuer, person, SteppedKey.at(self.clock, alg))
        self.phones.append(phone)
        signed_in = await phone.sign_in(level)
        assert signed_in.status == 204, signed_in.members
        assert (await phone.enrol()).status == 201
        return phone

    async def ask(self, centre: RequesterClient, person: Person | None = XU, **members: Any) -> tuple[str, str]:
        """File a request; its id and ticket."""
        filing = {"matter": MATTER, "case": "YZ-2026-000123", "operator": OPERATOR} | members
        if person is not None:
            filing["subject"] = {"name": person.name, "id_number": person.id_number}
        reply = await centre.file(**filing)
        assert reply.status == 201, reply.members
        return reply.members["id"], ticket_of(reply.members["consent_url"])

    async def grant(self, centre: RequesterClient, phone: Phone, items: list[Any] | None = None, **members: Any) -> str:
        """File, open, compose, sign; the consent token as the centre gets it."""
        request, ticket = await self.ask(centre, phone.person, **members)
        offer = await phone.open(ticket)
        assert offer.status == 200, offer.members
        chosen = items if items is not None else [line["item"] for line in offer.members["items"]]
        reply = await phone.agree(ticket, chosen)
        assert reply.status == 201, reply.members
        self.receipts.append(reply.members["receipt"])
        granted = await centre.read(request)
        assert granted.members["status"] == "granted", granted.members
        return str(granted.members["consent"])

    async def pull(self, centre: RequesterClient, *consents: str, **members: Any) -> Reply:
        """Exchange; a receipt is kept for check_log."""
        body = {
            "exchange": f"x-{letters()}",
            "consents": list(consents),
            "matter": MATTER,
            "case": "YZ-2026-000123",
            "operator": OPERATOR,
        } | members
        reply = await centre.exchange(**body)
        if reply.status in (200, 202):
            self.receipts.append(reply.members["receipt"])
            verify.verify_receipt(reply.members["receipt"], self.vkey, reply.members["results"])
        return reply

    @property
    def vkey(self) -> str:
        return self.broker.keys.log.vkey

    def entries(self) -> list[dict[str, Any]]:
        """Every entry of the log, in order."""
        with self.broker.database.reader.begin() as connection:
            bodies = connection.execute(select(tables.entry.c.body).order_by(tables.entry.c.idx)).scalars()
            return [json.loads(body) for body in bodies]

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.entries()]

    def check_log(self) -> verify.Report:
        """Export, verify the export and every receipt against the pinned key."""
        folder = self.folder / f"export-{uuid4().hex}"
        with self.broker.database.reader.begin() as connection:
            export(connection, folder, self.vkey)
        report = verify.verify_export(folder, self.vkey, since=None, progress=None)
        for receipt in self.receipts:
            verify.verify_receipt(receipt, self.vkey, None)
            stored = json.loads(base64.b64decode(receipt["entry"]))
            assert stored["index"] < report.checkpoint.size
        return report


@asynccontextmanager
async def open_world(
    folder: Path,
    fleet: Fleet,
    *,
    catalogue: Path | None = None,
    database: str = "broker.db",
    change: Callable[[Settings], Settings] = lambda settings: settings,
) -> AsyncIterator[World]:
    """Start a broker in a thread of its own, on a free port; with another catalogue, database or settings if given."""
    listener = listen_on("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with schema_from_memory():
        settings = found_broker(
            folder / "broker",
            issuer=f"http://127.0.0.1:{port}",
            port=port,
            routes=fleet.routes_file,
            route_secrets=fleet.secrets_folder,
            test_identity=True,
            database=database,
        )
    settings = change(replace(settings, catalogue=catalogue or settings.catalogue))
    clock, log = Clock(), StringIO()
    with catalogue_from_memory():
        server = make_server(settings, Telemetry(open_log(log)), clock)
    thread = threading.Thread(target=_serve, args=(server, listener), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the broker did not start"
        await asyncio.sleep(0.01)
    broker: Broker = server.config.app.state.broker  # type: ignore[union-attr]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        world = World(folder, broker, clock, fleet, http, log, broker_app=server.config.app)
        try:
            yield world
        finally:
            for phone in world.phones:
                await phone.http.close()
            for close in world.closing:
                await close()
            server.should_exit = True
            await asyncio.to_thread(thread.join, 20)


def _serve(server: Any, listener: socket.socket) -> None:
    server.run(sockets=[listener])
