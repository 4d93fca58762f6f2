"""The turn a ledger writes in, bent: held shut, or failing before or after its commit took effect."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from audit.ledger import Turn


@dataclass
class Bent:
    """A turn that counts its commits, can be held shut, and fails on demand before or after the commit."""

    turns: int = 0
    commits: int = 0
    fail_before: int = 0
    fail_after: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, turn: Callable[[], AbstractContextManager[Connection]]) -> Turn:
        @contextmanager
        def bent() -> Iterator[Connection]:
            self.turns += 1
            self.entered.release()
            assert self.gate.wait(20)
            with turn() as connection:
                yield connection
                if self.fail_before:
                    self.fail_before -= 1
                    raise sqlite3.OperationalError("disk I/O error")
            self.commits += 1
            if self.fail_after:
                self.fail_after -= 1
                raise sqlite3.OperationalError("disk I/O error")

        return bent

    def hold(self) -> None:
        """Keep the next turn waiting inside; what came before is forgotten."""
        self.gate.clear()
        while self.entered.acquire(blocking=False):
            pass
        self.commits = 0
