"""One test department as a child process of whoever starts it: ready when it says so, bent and asked over its port."""

import http.client
import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Final, Self

_ROOT: Final = Path(__file__).resolve().parents[2]
_START_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0


class DepartmentProcess:
    """A running department, named by its module here or elsewhere. It ends with whoever started it."""

    def __init__(self, name: str, child: "subprocess.Popen[bytes]", port: int) -> None:
        self.name = name
        self.child = child
        self.port = port

    @classmethod
    def start(cls, name: str, store: Path, *options: str) -> Self:
        """Start one and wait for it."""
        (started,) = cls.start_all({name: (store, options)})
        return started

    @classmethod
    def start_all(cls, wanted: dict[str, tuple[Path, tuple[str, ...]]]) -> list[Self]:
        """Start all at once. Raises RuntimeError, and ends those that run, if one is not ready in time."""
        children = {name: _child(name, store, options) for name, (store, options) in wanted.items()}
        try:
            end = time.monotonic() + _START_SECONDS
            return [cls(name, child, _ready_port(name, child, end)) for name, child in children.items()]
        except BaseException:
            _end(list(children.values()))
            raise

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call one of its control addresses. Raises ValueError for a refusal."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise ValueError(f"{self.name} refused {path}: {answer.status}")
            told: dict[str, Any] = json.load(answer)
            return told
        finally:
            connection.close()

    def stop(self) -> None:
        """End it; safe to repeat."""
        _end([self.child])


def stop_all(running: list[DepartmentProcess]) -> None:
    """End them side by side; safe to repeat."""
    _end([one.child for one in running])


def _child(name: str, store: Path, options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    store.mkdir(parents=True, exist_ok=True)
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    words = ["--store", str(store), "--end-with-stdin", *options]
    module = name if "." in name else f"connectors.departments.{name}"
    with (store / "stderr.log").open("wb") as stderr:
        return subprocess.Popen(  # noqa: S603 - our own module, no words from outside
            [sys.executable, "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )


def _ready_port(name: str, child: "subprocess.Popen[bytes]", end: float) -> int:
    assert child.stdout is not None
    line = _line(child.stdout, end)
    if not line:
        raise RuntimeError(f"test department {name} did not become ready; see stderr.log in its store")
    port: int = json.loads(line)["port"]
    return port


def _line(stream: IO[bytes], end: float) -> bytes:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return stream.readline() if selector.select(max(0.0, end - time.monotonic())) else b""


def _end(children: "list[subprocess.Popen[bytes]]") -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
