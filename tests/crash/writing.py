"""The writer that crash tests kill, starve and cut off: a real ledger over a real file, telling all it acknowledges."""

import base64
import sqlite3
import sys
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.exc import DBAPIError

from audit.anchor import AnchorFile
from audit.batch import Recorded
from audit.errors import LedgerUnavailable
from audit.ledger import Ledger, Safeguards
from broker import sqlite
from broker.sqlite import SqliteDatabase
from policies.strict_yaml import ConfigurationError
from tests.crash.forked import Speaker
from tests.faults.ledger_file import FILE, SIGNER, note, wall_clock

AT_ONCE = 3
"""Units kept in the queue, so that batches form."""
HEALS_WITHIN = 10.0
ENDED = 3
"""The exit status of a writer that could not start or could not speak."""
Synchronous = Literal["FULL", "NORMAL", "OFF"]


@dataclass(frozen=True)
class Order:
    """What to write, and where to wait for a word: before the database is opened, or after."""

    folder: Path
    units: int
    wait: Literal["before opening", "after opening"]
    fold_above: int = 60_000
    synchronous: Synchronous = "FULL"
    reader: bool = False
    """Hold a reader's connection open, so that closing the writer's folds nothing."""


def anchor_of(folder: Path) -> AnchorFile:
    return AnchorFile(folder / "anchor")


def write(speaker: Speaker, order: Order) -> None:
    """Say `ready`, wait, then each unit as `acknowledged` with its receipts, or `refused`, and `done` at the end."""
    sqlite.FOLD_ABOVE = order.fold_above  # type: ignore[misc]
    if order.synchronous != "FULL":
        _be_careless(order.synchronous)
    try:
        _write(speaker, order)
    except (OSError, LedgerUnavailable, ConfigurationError, DBAPIError) as error:
        speaker.say(ended=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")
        sys.exit(ENDED)


def _write(speaker: Speaker, order: Order) -> None:
    if order.wait == "before opening":
        speaker.say(ready=True)
        speaker.wait()
    database = SqliteDatabase(order.folder / FILE)
    safeguards = Safeguards(anchor_of(order.folder), reopen=database.reopen)
    ledger = Ledger(database.turn, SIGNER, wall_clock, safeguards=safeguards)
    held = sqlite3.connect(f"file:{order.folder / FILE}?mode=ro", uri=True) if order.reader else None
    if held is not None:
        held.execute("SELECT count(*) FROM audit_entry").fetchall()
    if order.wait == "after opening":
        speaker.say(ready=True)
        speaker.wait()
    _work(speaker, ledger, order.units)
    speaker.say(done=True)
    speaker.wait()
    if held is not None:
        held.close()
    ledger.close()
    database.close()


def _work(speaker: Speaker, ledger: Ledger, units: int) -> None:
    waiting: list[tuple[str, Future[Recorded[Any]]]] = []
    for number in range(units):
        name = f"u{number}"
        try:
            waiting.append((name, ledger.record(note(name, 1 + number % 3))))
        except LedgerUnavailable as error:
            speaker.say(refused=name, why=str(error))
            _heal(ledger)
        while len(waiting) >= AT_ONCE or (waiting and number == units - 1):
            _tell(speaker, ledger, *waiting.pop(0))
    for attempt in range(1_000_000):
        _heal(ledger)
        if _tell(speaker, ledger, f"last-{attempt}", ledger.record(note(f"last-{attempt}"))):
            return


def _tell(speaker: Speaker, ledger: Ledger, name: str, future: "Future[Recorded[Any]]") -> bool:
    try:
        recorded = future.result(HEALS_WITHIN)
    except LedgerUnavailable as error:
        speaker.say(refused=name, why=str(error))
        _heal(ledger)
        return False
    receipts = [recorded.receipt(index) for index in recorded.entries]
    members = [{"entry": base64.b64encode(one.entry).decode(), "proof": one.proof} for one in receipts]
    speaker.say(acknowledged=name, name=name, receipts=members)
    return True


def _heal(ledger: Ledger) -> None:
    end = time.monotonic() + HEALS_WITHIN
    while ledger.trouble and time.monotonic() < end:
        time.sleep(0.005)
    if ledger.trouble:
        raise LedgerUnavailable(f"it never healed: {ledger.trouble}")


def _be_careless(synchronous: Synchronous) -> None:
    """Open every connection with a setting that the program refuses: the proof that these tests can fail."""

    def careless(connection: sqlite3.Connection, _: object) -> None:
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "wal_autocheckpoint=0"):
            connection.execute(f"PRAGMA {pragma}").close()

    sqlite._make_durable = careless
    sqlite.SAFE["synchronous"] = {"NORMAL": 1, "OFF": 0}[synchronous]
