"""Which processes of the broker are alive: each holds a lock on a file of its own, which its death frees."""

import fcntl
import os
import secrets
from pathlib import Path


class ProcessLock:
    """This process's name in admissions, and the lock that says it is alive. Held until the process ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.id = f"p_{secrets.token_urlsafe(12)}"
        self._descriptor = os.open(folder / self.id, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def is_dead(self, process: str) -> bool:
        """Whether another process has ended. A name never seen here is dead: its file was cleared away."""
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

    def release(self) -> None:
        """End in order: nothing of this process is under way any more."""
        (self._folder / self.id).unlink(missing_ok=True)
        os.close(self._descriptor)
