"""strace attached to a running process: calls made to fail or to kill, or written down; skipped where it cannot be."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import pytest

CHANGING = ("pwrite64", "write", "pwritev", "writev", "fdatasync", "fsync", "ftruncate", "rename", "unlink")
"""The calls by which a file comes to be other than it was, or safe."""


@lru_cache
def _whats_missing() -> str:
    if shutil.which("strace") is None:
        return "there is no strace"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with attached(child.pid, "-e", "trace=none"):
            return ""
    except RuntimeError as error:
        return f"strace cannot attach: {error}"
    finally:
        child.communicate(b"\n")


def need_strace() -> None:
    """Skip, loudly, where this machine has no strace or no ptrace."""
    if missing := _whats_missing():
        pytest.skip(f"CRASH TEST NOT RUN, {missing}")


@contextmanager
def attached(pid: int, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Watch every thread of a process from here on, until the block is left or the process ends."""
    command = ["strace", "-f", "-p", str(pid), *arguments]
    out = [] if "-o" in arguments else ["-o", os.devnull]
    tracer = subprocess.Popen([*command, *out], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert tracer.stderr is not None
    try:
        line = tracer.stderr.readline()
        if b"attached" not in line:
            raise RuntimeError(line.decode().strip())
        yield tracer
    finally:
        detach(tracer)
        tracer.stderr.close()


def detach(tracer: "subprocess.Popen[bytes]") -> None:
    """End the fault or the recording; the process goes on. Safe to repeat."""
    if tracer.poll() is None:
        tracer.send_signal(signal.SIGINT)
    tracer.wait(30)
