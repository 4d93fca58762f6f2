"""A broker as a process of its own, that can be killed and started again, and a log read behind its back."""

import base64
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from sqlalchemy import select

from audit import tables, verify
from audit.batch import Transaction
from audit.tiles import export
from broker import requesters
from broker.client import RequesterClient
from broker.database import open_database
from broker.demo.phone import Phone, open_phone, ticket_of
from broker.founding import CONFIGURATION, found_broker
from broker.keys import read_keys
from broker.requesters import Requester
from broker.settings import Settings
from broker.signing import SigningKey
from broker.wiring import open_storage
from connectors.departments.fleet import Fleet
from policies.vocabulary import Person
from tests.ports import free_port
from tests.world import ITEMS, MATTER, OPERATOR

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
CASE = "YZ-2026-000123"


@dataclass
class Process:
    """One `broker serve`. Whoever starts it ends it."""

    child: "subprocess.Popen[bytes]"
    reading: threading.Thread
    said: list[bytes] = field(default_factory=list)

    def kill(self) -> None:
        """As a power cut or an out-of-memory killer does: no word of warning."""
        self.child.send_signal(signal.SIGKILL)
        self.wait()

    def end(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
        self.wait()

    def wait(self) -> None:
        self.child.wait(30)
        self.reading.join(10)
        for stream in (self.child.stdout, self.child.stderr):
            if stream is not None:
                stream.close()


@dataclass
class Folder:
    """A broker's folder and whoever calls it; outlives its processes."""

    settings: Settings
    vkey: str
    config: Path
    receipts: list[Mapping[str, str]] = field(default_factory=list)

    def start(self, config: Path | None = None) -> Process:
        """Returns when it accepts connections."""
        command = [sys.executable, "-m", "broker", "serve", "--config", str(config or self.config)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=ROOT)
        assert child.stdout is not None
        assert child.stderr is not None
        said: list[bytes] = []
        stderr = child.stderr
        reading = threading.Thread(target=lambda: said.extend(stderr), daemon=True)
        reading.start()
        process = Process(child, reading, said)
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            line = child.stdout.readline() if selector.select(START_SECONDS) else b""
        if not line:
            process.kill()
            raise AssertionError(b"".join(said)[-2000:].decode())
        assert json.loads(line)["ready"] is True
        return process

    def second(self, name: str = "second", port: int = 0) -> Path:
        """A configuration for one more process over the same database, on a port of its own."""
        text = self.config.read_text(encoding="utf-8")
        changed = text.replace(f"  port: {self.settings.port}", f"  port: {port or free_port()}")
        assert changed != text
        file = self.config.with_name(f"{name}.yaml")
        file.write_text(changed, encoding="utf-8")
        return file

    def centre(self, http: aiohttp.ClientSession, name: str = "yz-hpf") -> RequesterClient:
        """Register a fund centre through the same door as the server's."""
        key = SigningKey.generate()
        entry = Requester(name, "扬州市住房公积金管理中心", "Yangzhou", frozenset({MATTER}), suspended=False)

        def work(transaction: Transaction) -> None:
            requesters.register(transaction, entry)
            requesters.add_key(transaction, name, key.public)

        database, storage = open_storage(self.settings, read_keys(self.settings.secrets, self.settings.log_origin))
        storage.ledger.record(work).result(20)
        storage.ledger.close()
        database.close()
        return RequesterClient(http, self.settings.issuer, name, key)

    def entries(self) -> list[dict[str, Any]]:
        with closing(open_database(self.settings)) as database, database.reader.begin() as connection:
            bodies = connection.execute(select(tables.entry.c.body).order_by(tables.entry.c.idx)).scalars()
            return [json.loads(body) for body in bodies]

    def check(self) -> verify.Report:
        """The whole log verifies with the pinned key, and every receipt ever handed out holds in it."""
        with closing(open_database(self.settings)) as database, database.reader.begin() as connection:
            folder = self.config.with_name(f"export-{uuid4().hex}")
            export(connection, folder, self.vkey)
        report = verify.verify_export(folder, self.vkey)
        entries = self.entries()
        assert [entry["index"] for entry in entries] == list(range(report.checkpoint.size))
        for receipt in self.receipts:
            held = verify.verify_receipt(receipt, self.vkey)
            assert json.loads(base64.b64decode(receipt["entry"])) == entries[held.entry.index]
        return report


def found(folder: Path, fleet: Fleet, database: str = "broker.db", host: str = "127.0.0.1") -> Folder:
    """A new broker over these departments, on a port that stays its own."""
    port = free_port()
    settings = found_broker(
        folder / "broker",
        issuer=f"http://{host}:{port}",
        port=port,
        routes=fleet.routes_file,
        route_secrets=fleet.secrets_folder,
        test_identity=True,
        database=database,
    )
    vkey = read_keys(settings.secrets, settings.log_origin).log.vkey
    return Folder(settings, vkey, folder / "broker" / CONFIGURATION)


async def signed_in(issuer: str, person: Person) -> Phone:
    """A phone with a session and an enrolled device; the caller closes its `http`."""
    phone = open_phone(issuer, person, SigningKey.generate())
    assert (await phone.sign_in()).status == 204
    assert (await phone.enrol()).status == 201
    return phone


async def grant(centre: RequesterClient, phone: Phone) -> str:
    """File, open, sign; the consent token."""
    subject = {"name": phone.person.name, "id_number": phone.person.id_number}
    filed = await centre.file(matter=MATTER, case=CASE, operator=OPERATOR, subject=subject)
    assert filed.status == 201, filed.members
    ticket = ticket_of(filed.members["consent_url"])
    offer = await phone.open(ticket)
    assert offer.status == 200, offer.members
    agreed = await phone.agree(ticket, list(ITEMS))
    assert agreed.status == 201, agreed.members
    granted = await centre.read(filed.members["id"])
    assert granted.members.get("status") == "granted", granted.members
    return str(granted.members["consent"])


def pull_members(exchange: str, consent: str) -> dict[str, Any]:
    return {"exchange": exchange, "consents": [consent], "matter": MATTER, "case": CASE, "operator": OPERATOR}
