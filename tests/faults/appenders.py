"""Child processes that append to one shared log, and everything they had been promised when they ended."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from audit import verify
from tests.faults.ledger_file import SIGNER, LedgerFile

ROOT = Path(__file__).resolve().parents[2]


class Appender:
    """A child process and what it had promised."""

    def __init__(self, place: Path | str, name: str, fold_above: int, units: int, *, hold: bool = False) -> None:
        """With `hold` it opens the log and then waits for `go`, so that several really run at once."""
        command = [sys.executable, "-m", "tests.faults.appending", str(place), name, str(fold_above), str(units)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT, text=True)
        self.ready = threading.Event()
        self.promised: list[dict[str, Any]] = []
        self.reading = threading.Thread(target=self._read)
        self.reading.start()
        if not hold:
            self.go()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.ready.set()
            if line.endswith("}\n"):
                self.promised.append(json.loads(line))

    def kill_after(self, promises: int) -> None:
        end = time.monotonic() + 60
        while len(self.promised) < promises and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        self.process.send_signal(signal.SIGKILL)

    def end(self) -> int:
        status = self.process.wait(120)
        self.reading.join(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def held_against(log: LedgerFile, appenders: list[Appender]) -> int:
    """Every promise of every process is in the log, where it said; how many there were."""
    return all_held(log, [promise for appender in appenders for promise in appender.promised])


def all_held(log: LedgerFile, promises: list[dict[str, Any]]) -> int:
    """Every promise, a name with its receipts, is in the log, where it said; how many there were."""
    entries = log.entries()
    rows = log.rows()
    for promise in promises:
        assert promise["name"] in rows, "acknowledged and lost"
        for receipt in promise["receipts"]:
            held = verify.verify_receipt(receipt, SIGNER.vkey)
            assert entries[held.entry.index]["body"]["requester"] == promise["name"]
    return len(promises)
