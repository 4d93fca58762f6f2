"""python -m bench.head: changes a second that pass the log's head on PostgreSQL, and how many when each commit waits.

One process whose writer is never short of work, and a log that verifies at the end. The second figure is with a
synchronous standby on the same machine: both servers share its disk and cores, so it is a lower bound.
"""

import argparse
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from tests.crash.test_fail_over import pair
from tests.faults.ledger_file import found, note, opened
from tests.postgresql import server

UNDER_WAY: Final = 64


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--seconds", type=float, default=10.0)
    seconds = reading.parse_args().seconds
    with server() as postgresql, postgresql.database() as url:
        sys.stdout.write(f"alone: {_rate(url, seconds):,.0f} changes a second\n")
    with pair() as both:
        sys.stdout.write(f"with a synchronous standby: {_rate(both.url, seconds):,.0f} changes a second\n")


def _rate(url: str, seconds: float) -> float:
    found(url)
    with tempfile.TemporaryDirectory(prefix="head-") as folder, opened(Path(folder), url=url) as log:
        waiting: deque[Future[Any]] = deque()
        done, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            waiting.append(log.ledger.record(note(f"change-{done + len(waiting)}")))
            if len(waiting) >= UNDER_WAY:
                waiting.popleft().result(30)
                done += 1
        rate = done / (time.monotonic() - began)
        for one in waiting:
            one.result(30)
        log.check()
        return rate


if __name__ == "__main__":
    main()
