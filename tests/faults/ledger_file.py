"""A ledger alone over a real database, and the whole check that every test of it ends with."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, insert, select

from audit import batch, tables, verify
from audit.anchor import AnchorFile
from audit.batch import Receipt, Recorded, Transaction
from audit.checkpoint import LogSigner
from audit.errors import LedgerUnavailable
from audit.events import RequesterSuspended
from audit.ledger import Ledger, Safeguards, Turn
from audit.tiles import export
from broker import schema
from broker.database import Database
from broker.postgresql import PostgresqlDatabase
from broker.sqlite import SqliteDatabase
from tests.postgresql import address_of

FILE = "ledger.db"
SIGNER = LogSigner("log.example/faults", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))

_metadata = MetaData()
state = Table("faults_state", _metadata, Column("name", String(80), primary_key=True), Column("index", Integer))
"""What the units of work change beside the log: the two must never disagree."""


def wall_clock() -> int:
    return time.time_ns() // 1000


def note(name: str, entries: int = 1) -> Callable[[Transaction], str]:
    """A unit of work: a row, and entries that name it."""

    def work(transaction: Transaction) -> str:
        row = insert(state).values(name=name, index=transaction.next_index)
        transaction.connection.execute(row)
        for _ in range(entries):
            transaction.append(RequesterSuspended(requester=name))
        return name

    return work


@dataclass
class LedgerFile:
    """One database, by default a file; the ledger over it, and the receipts it handed out."""

    folder: Path
    database: Database
    ledger: Ledger
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def record(self, name: str, entries: int = 1) -> None:
        """Note a name, waiting until the ledger has healed from whatever it is in."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                return self.acknowledged(self.ledger.record(note(name, entries)).result(10))
            except LedgerUnavailable:
                time.sleep(0.02)
        raise AssertionError(f"the ledger did not heal: {self.ledger.trouble}")

    def acknowledged(self, recorded: Recorded[Any]) -> None:
        """Keep the receipts of what was promised."""
        self.receipts += [recorded.receipt(index) for index in recorded.entries]

    def entries(self) -> list[dict[str, Any]]:
        with self.database.reader.begin() as connection:
            rows = connection.execute(select(tables.entry).order_by(tables.entry.c.idx)).all()
        assert [row.idx for row in rows] == list(range(len(rows)))
        return [json.loads(row.body) for row in rows]

    def names(self) -> list[str]:
        return [entry["body"]["requester"] for entry in self.entries()]

    def rows(self) -> dict[str, int]:
        with self.database.reader.begin() as connection:
            return {row[0]: row[1] for row in connection.execute(select(state))}

    def check(self) -> verify.Report:
        """The whole log verifies; times rise; every row has its entry; every receipt handed out still holds."""
        entries = self.entries()
        times = [entry["time"] for entry in entries]
        assert times == sorted(set(times))
        first = {entry["body"]["requester"]: entry["index"] for entry in reversed(entries)}
        assert self.rows() == first
        report = verify_log(self.database, self.folder / f"export-{uuid4().hex}")
        for receipt in self.receipts:
            members = {"entry": base64.b64encode(receipt.entry).decode(), "proof": receipt.proof}
            held = verify.verify_receipt(members, SIGNER.vkey, None)
            assert json.loads(receipt.entry) == entries[held.entry.index]
        return report


def verify_log(database: Database, folder: Path) -> verify.Report:
    """Export and verify with the pinned key."""
    with database.reader.begin() as connection:
        export(connection, folder, SIGNER.vkey)
    return verify.verify_export(folder, SIGNER.vkey)


def open_place(place: Path | str) -> Database:
    """A file, or the URL of a PostgreSQL database."""
    return SqliteDatabase(place) if isinstance(place, Path) else PostgresqlDatabase(address_of(place))


def found(place: Path | str) -> None:
    """A new database with an empty log."""
    database = open_place(place)
    with database.long_turn() as connection:
        schema.upgrade(connection)
        _metadata.create_all(connection)
        batch.found(connection, SIGNER)
    database.close()


TurnAround = Callable[[Callable[[], AbstractContextManager[Connection]]], Turn]
"""Bends the turn that the ledger is given."""


@contextmanager
def opened(
    folder: Path,
    *,
    bend: TurnAround | None = None,
    now: Callable[[], int] = wall_clock,
    queue_limit: int = 4096,
    url: str = "",
    anchor: AnchorFile | None = None,
) -> Iterator[LedgerFile]:
    """A founded log and a running ledger; closed at the end."""
    file = folder / FILE
    if not url and not file.exists():
        found(file)
    with closing(open_place(url or file)) as database:
        turn = database.turn if bend is None else bend(database.turn)
        safeguards = Safeguards(anchor, reopen=database.reopen)
        with closing(Ledger(turn, SIGNER, now, safeguards=safeguards, queue_limit=queue_limit)) as ledger:
            yield LedgerFile(folder, database, ledger)
