"""Where batch files are left and found: a folder here, or one behind SFTP (connectors/sftp.py)."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol, TypeVar

from connectors.trouble import DepartmentError, garbled
from policies.vocabulary import Outcome

T = TypeVar("T")

LARGEST: Final = 4 << 20
"""Bytes of one file."""


class Drop(Protocol):
    """Two folders of files: what we leave, and what is left for us."""

    async def leave(self, name: str, content: bytes) -> None:
        """A file is whole as soon as its name can be seen: written under another name, then renamed."""

    async def find(self, name: str) -> bytes | None:
        """The content of a file that was left for us; None while there is none.

        Raises DepartmentError beyond LARGEST, and where the folder itself is gone: then nobody can say.
        """

    async def aclose(self) -> None: ...


class FolderDrop:
    """Folders of this machine, or mounted on it. Its threads are its own: a dead mount holds up no other route."""

    def __init__(self, outbox: Path, inbox: Path, threads: int) -> None:
        self._outbox, self._inbox = outbox, inbox
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="files")

    async def leave(self, name: str, content: bytes) -> None:
        await self._run(lambda: self._leave(name, content))

    async def find(self, name: str) -> bytes | None:
        return await self._run(lambda: self._find(name))

    async def aclose(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _leave(self, name: str, content: bytes) -> None:
        aside = self._outbox / temporary(name)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self._outbox / name)

    def _find(self, name: str) -> bytes | None:
        try:
            with (self._inbox / name).open("rb") as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError:
            if not self._inbox.is_dir():
                raise folder_missing() from None
            return None
        return within_limit(content)


def temporary(name: str) -> str:
    """The name under which a file is written until it is whole."""
    return f".{name}.tmp"


def folder_missing() -> DepartmentError:
    """A mount that came off, a folder that was moved."""
    return DepartmentError(Outcome.DEPARTMENT_DOWN, "folder_missing")


def within_limit(content: bytes) -> bytes:
    check_size(len(content))
    return content


def check_size(size: int) -> None:
    if size > LARGEST:
        raise garbled("file_too_large")
