"""A process that appends to a shared log: `python -m tests.faults.appending PLACE NAME FOLD_ABOVE UNITS`.

Each acknowledged unit is printed as one JSON line with its receipts, flushed before the next is asked for, so that
whoever reads knows exactly what had been promised when this process was killed.
"""

import base64
import json
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from audit.batch import Recorded
from audit.ledger import Ledger
from broker import sqlite
from tests.faults.ledger_file import SIGNER, note, open_place, wall_clock

AT_ONCE = 6
"""Units kept in the queue, so that batches form."""


def main() -> None:
    place, name, fold_above, units = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    sqlite.FOLD_ABOVE = fold_above  # type: ignore[misc]
    opened = open_place(place if "://" in place else Path(place))
    ledger = Ledger(opened.turn, SIGNER, wall_clock)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()  # ends when we are told to go
    waiting: list[Future[Recorded[Any]]] = []
    for number in range(units):
        waiting.append(ledger.record(note(f"{name}-{number}", 1 + number % 2)))
        if len(waiting) >= AT_ONCE:
            tell(waiting.pop(0).result(60))
    for future in waiting:
        tell(future.result(60))
    ledger.close()
    opened.close()


def tell(recorded: Recorded[Any]) -> None:
    receipts = [recorded.receipt(index) for index in recorded.entries]
    members = [{"entry": base64.b64encode(one.entry).decode(), "proof": one.proof} for one in receipts]
    sys.stdout.write(json.dumps({"name": recorded.value, "receipts": members}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
