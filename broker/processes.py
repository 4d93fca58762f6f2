"""Which processes of the broker are alive: each holds a lock of its own, which its death frees."""

import contextlib
import fcntl
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

LOOK_EVERY: Final = 0.3
"""Seconds between looks whether the session that holds our lock still lives."""
GRACE: Final = 2.0
"""Seconds in which a living process takes its lock again after the server has lost its session."""


class ProcessLock(Protocol):
    """This process's name in admissions, and the lock that says it is alive. Held until the process ends."""

    @property
    def id(self) -> str: ...

    def dead(self, processes: Iterable[str]) -> frozenset[str]:
        """Those of these processes that have ended; may wait for GRACE, so never called in a transaction."""
        ...

    def release(self) -> None:
        """End in order: nothing of this process is under way any more."""
        ...


class FileLock:
    """For processes on one machine: a locked file each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.id = _new_id()
        self._descriptor = os.open(folder / self.id, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def dead(self, processes: Iterable[str]) -> frozenset[str]:
        return frozenset(filter(self._is_dead, processes))

    def release(self) -> None:
        (self._folder / self.id).unlink(missing_ok=True)
        os.close(self._descriptor)

    def _is_dead(self, process: str) -> bool:
        """A name never seen here is dead: its file was cleared away."""
        if process == self.id:
            return False
        try:
            descriptor = os.open(self._folder / process, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True


def living_in(folder: Path) -> frozenset[str]:
    """The processes that hold a lock in this folder; it need not exist."""
    found = set()
    for file in folder.glob("p_*"):
        with contextlib.suppress(FileNotFoundError), file.open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found.add(file.name)
    return frozenset(found)


def living_on(connection: Connection) -> bool:
    """Whether another session holds a lock on this PostgreSQL database: a process that serves, or one that migrates."""
    others = f"SELECT count(*) FROM ({_HELD} AND pid <> pg_backend_pid()) held"  # noqa: S608 - all of it is our own
    return bool(connection.exec_driver_sql(others).scalar_one())


class SessionLock:
    """For processes on several machines: an advisory lock of a PostgreSQL session that does nothing else.

    A server that restarts or fails over ends every session while the processes live on. So the lock is looked after by
    a thread and taken again under the same name, and nobody is called dead at the first look. Whoever is called dead
    all the same loses admissions, never the truth: the release of a closed one is refused.
    """

    def __init__(self, engine: Engine) -> None:
        """`engine` opens a new connection each time and commits each statement."""
        self._engine = engine
        self.id = _new_id()
        self._ending = threading.Event()
        self._held: Connection | None = self._take()
        self._thread = threading.Thread(target=self._keep, name="process-lock", daemon=True)
        self._thread.start()

    def dead(self, processes: Iterable[str]) -> frozenset[str]:
        suspects = frozenset(processes) - {self.id} - self._alive(processes)
        if suspects:
            time.sleep(GRACE)
            suspects -= self._alive(suspects)
        return suspects

    def release(self) -> None:
        self._ending.set()
        self._thread.join()
        self._let_go()

    def _alive(self, processes: Iterable[str]) -> frozenset[str]:
        with self._engine.connect() as connection:
            locked = set(connection.exec_driver_sql(_HELD).scalars())
        return frozenset(process for process in processes if _key(process) in locked)

    def _keep(self) -> None:
        while not self._ending.wait(LOOK_EVERY):
            try:
                if self._held is None:
                    self._held = self._take()
                else:
                    self._held.exec_driver_sql("SELECT 1")
            except SQLAlchemyError:
                self._let_go()

    def _take(self) -> Connection | None:
        """The session that holds the lock; None where the server still counts an earlier session of ours as alive."""
        connection = self._engine.connect()
        taken = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({_key(self.id)})").scalar_one()
        if not taken:
            connection.close()
        return connection if taken else None

    def _let_go(self) -> None:
        if self._held is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._held.close()
        self._held = None


_HELD: Final = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _new_id() -> str:
    return f"p_{secrets.token_urlsafe(12)}"


def _key(process: str) -> int:
    """A process's advisory lock: the first 64 bits of its name's SHA-256, signed as PostgreSQL has them."""
    return int.from_bytes(hashlib.sha256(process.encode()).digest()[:8], signed=True)
