"""A process whose disk fills up and is cleared again: `python -m tests.faults.filling FILE`.

The limit on file sizes (setrlimit) makes the kernel refuse the write-ahead log's growth in the middle of a commit, as a
full disk does. It prints what was acknowledged and what was refused as one JSON object.
"""

import json
import resource
import sys
import time
from pathlib import Path

from audit.errors import LedgerUnavailable
from audit.ledger import Ledger, Safeguards
from broker.sqlite import SqliteDatabase
from tests.faults.ledger_file import SIGNER, note, wall_clock

ROUNDS, UNITS = 4, 12


def main() -> None:
    file = Path(sys.argv[1])
    opened = SqliteDatabase(file)
    ledger = Ledger(opened.turn, SIGNER, wall_clock, safeguards=Safeguards(reopen=opened.reopen))
    acknowledged, refused = [], []
    for number in range(ROUNDS):
        heal(ledger)
        ledger.record(note(f"healthy-{number}")).result(30)
        acknowledged.append(f"healthy-{number}")
        # Room for a few more pages only, at another offset each round, so that different writes are the first to fail
        room = Path(f"{file}-wal").stat().st_size + 9000 + 1500 * number
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        for unit in range(UNITS):
            name = f"full-{number}-{unit}"
            try:
                ledger.record(note(name, 20)).result(30)
                acknowledged.append(name)
            except LedgerUnavailable:
                refused.append(name)
                time.sleep(0.03)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    heal(ledger)
    ledger.record(note("repaired")).result(30)
    acknowledged.append("repaired")
    ledger.close()
    opened.close()
    sys.stdout.write(json.dumps({"acknowledged": acknowledged, "refused": refused}) + "\n")


def heal(ledger: Ledger) -> None:
    """Wait until the ledger has seen that the disk has room again; ten seconds are promised."""
    end = time.monotonic() + 10
    while ledger.trouble and time.monotonic() < end:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
