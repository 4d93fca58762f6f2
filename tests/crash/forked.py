"""Child processes that start in milliseconds: forked from a server that has imported the program already."""

import ctypes
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, TextIO, TypeAlias

PATIENCE = 60
_ANY_TRACER = (0x59616D61, -1)
"""PR_SET_PTRACER, PR_SET_PTRACER_ANY (prctl(2)): else only root may attach to a process that is not its own child."""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["pytest", "tests.crash.writing", "broker.cli"])


@dataclass(frozen=True)
class Speaker:
    """The child's end: says lines that are whole once they are said, and waits for a word to go on."""

    said: Connection
    word: Connection

    def say(self, **members: Any) -> None:
        os.write(self.said.fileno(), (json.dumps(members) + "\n").encode())

    def wait(self) -> None:
        """Until the parent says go."""
        self.word.recv()


Target: TypeAlias = Callable[..., None]


@dataclass
class Child:
    """A running child and all that it has said. Whoever starts it ends it."""

    process: ForkServerProcess
    word: Connection
    said: list[dict[str, Any]] = field(default_factory=list)
    reading: threading.Thread | None = None

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def go(self) -> None:
        self.word.send("go")

    def saying(self, *names: str) -> list[dict[str, Any]]:
        """Wait until it has said a line with one of these members, or has ended; those lines."""
        end = time.monotonic() + PATIENCE
        while True:
            over = self.reading is not None and not self.reading.is_alive()
            lines = [line for line in self.said if not line.keys().isdisjoint(names)]
            if lines or over:
                return lines
            assert time.monotonic() < end, f"the child never said {names}: {self.said[-3:]}"
            time.sleep(0.002)

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Wait for its end; its exit status, negative for a signal."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join(PATIENCE)
            raise AssertionError("the child did not end")
        assert self.reading is not None
        self.reading.join(PATIENCE)
        self.word.close()
        status = self.process.exitcode
        self.process.close()
        return status


def fork(target: Target, *arguments: Any) -> Child:
    """Run `target(speaker, *arguments)` in a child; `target` is a function of a module."""
    said, saying = _forks.Pipe(duplex=False)
    hearing, word = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_run, args=(target, Speaker(saying, hearing), *arguments), daemon=True)
    process.start()
    saying.close()
    hearing.close()
    child = Child(process, word)
    stream = os.fdopen(os.dup(said.fileno()), encoding="utf-8")
    said.close()
    child.reading = threading.Thread(target=_read, args=(stream, child.said), daemon=True)
    child.reading.start()
    return child


def _read(stream: TextIO, said: list[dict[str, Any]]) -> None:
    with stream:
        for line in stream:
            if not line.endswith("}\n"):  # cut off by the child's end
                return
            said.append(json.loads(line))


def _run(target: Target, speaker: Speaker, *arguments: Any) -> None:
    ctypes.CDLL(None).prctl(*_ANY_TRACER, 0, 0, 0)
    target(speaker, *arguments)
