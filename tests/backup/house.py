"""A founded broker that nobody serves, its backups, and the disaster that they are for."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from audit import tables, verify
from audit.batch import Receipt, Transaction
from audit.events import RequesterSuspended
from audit.tiles import export
from broker.backups import drilling, making, restoring
from broker.backups.making import Made, Running
from broker.founding import CONFIGURATION, found_broker
from broker.keys import read_keys
from broker.settings import Settings, read_settings
from broker.wiring import open_storage, wall_clock
from tests.postgresql import Server

ISSUER = "http://127.0.0.1:8400"


def quietly(_done: int, _total: int) -> None:
    """No progress."""


@dataclass
class House:
    """One broker's folder, and every receipt that it gave out."""

    folder: Path
    settings: Settings
    server: Server | None
    clock_step: int = 0
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / CONFIGURATION

    @property
    def file(self) -> Path:
        assert isinstance(self.settings.database, Path)
        return self.settings.database

    @property
    def vkey(self) -> str:
        return read_keys(self.settings.secrets, self.settings.log_origin).log.vkey

    def clock(self) -> int:
        return wall_clock() + self.clock_step

    @contextmanager
    def running(self) -> Iterator[Running]:
        settings = read_settings(self.config)
        database, storage = open_storage(settings, read_keys(settings.secrets, settings.log_origin), self.clock)
        try:
            yield Running(self.config, settings, database, storage, self.clock)
        finally:
            storage.ledger.close()
            database.close()

    def grow(self, name: str, entries: int = 3) -> None:
        with self.running() as running:
            recorded = running.storage.ledger.record(suspended(name, entries)).result()
            self.receipts += [recorded.receipt(index) for index in recorded.entries]

    def back_up(self, place: Path, recipient: Any = None) -> Made:
        with self.running() as running:
            return making.make(running, making.Wish(place, recipient, quietly))

    def restore(self, file: Path, **wishes: Any) -> restoring.Restored:
        given: dict[str, Any] = {
            "config": self.config,
            "pinned": "",
            "unseal": None,
            "force": False,
            "newest": False,
        } | wishes
        return restoring.restore(restoring.Wish(file=file, progress=quietly, **given))

    def drill(self, place: Path, scratch: Path, pinned: str = "") -> drilling.Drilled:
        wish = drilling.Wish(place=place, pinned=pinned, scratch=scratch, progress=quietly)
        with self.running() as running:
            return drilling.drill(running, wish)

    def lose_database(self) -> None:
        """The disk is gone; the anchor, on another, is not."""
        if self.server is not None:
            self.server.execute("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", url=str(self.url))
            return
        for file in self.folder.glob("broker.db*"):
            if file.is_file() and "anchor" not in file.name:
                file.unlink()

    @property
    def url(self) -> str:
        assert not isinstance(self.settings.database, Path)
        return self.settings.database.url.render_as_string(hide_password=False)

    def check_log(self) -> verify.Report:
        """Export and verify with the key of the log's present name."""
        folder = self.folder.parent / f"export-{uuid4().hex}"
        with self.running() as running:
            vkey = running.storage.ledger.signer.vkey
            with running.storage.reader.begin() as connection:
                export(connection, folder, vkey)
        return verify.verify_export(folder, vkey)

    def entries(self) -> list[dict[str, Any]]:
        with self.running() as running, running.storage.reader.begin() as connection:
            rows = connection.execute(select(tables.entry.c.body).order_by(tables.entry.c.idx)).scalars()
            return [json.loads(row) for row in rows]

    def events(self) -> list[str]:
        return [entry["event"] for entry in self.entries()]

    def hold_receipts(self) -> None:
        """Every receipt handed out is of the log as it is now."""
        entries = self.entries()
        for receipt in self.receipts:
            members = {"entry": base64.b64encode(receipt.entry).decode(), "proof": receipt.proof}
            held = verify.verify_receipt(members, self.vkey)
            assert json.loads(receipt.entry) == entries[held.entry.index], "acknowledged and lost"


def suspended(name: str, entries: int = 1) -> Callable[[Transaction], None]:
    """A unit of work that does nothing but leave its mark."""

    def work(transaction: Transaction) -> None:
        for _ in range(entries):
            transaction.append(RequesterSuspended(requester=name))

    return work


def found(folder: Path, store: str, server: Server | None) -> House:
    return House(folder, found_broker(folder, issuer=ISSUER, database=store), server if "://" in store else None)
