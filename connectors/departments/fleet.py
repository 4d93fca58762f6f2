"""All four test departments as child processes, with the routes file and the secrets that lead to them."""

import http.client
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path
from string import Template
from types import TracebackType
from typing import IO, Any, Final, Self

from connectors.departments import beijing_fund, property_registry

NAMES: Final = ("property_registry", "tax", "civil_affairs", "beijing_fund")

_ROOT: Final = Path(__file__).resolve().parents[2]
_TEMPLATE: Final = Path(__file__).with_name("routes.yaml.template")
_START_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0
_SECRETS: Final = {
    "property-registry-key": ("property_registry", property_registry.KEY_FILE),
    "beijing-fund-secret": ("beijing_fund", beijing_fund.KEY_FILE),
}
"""Our name of each secret, and which department keeps it in which file of its store."""


class Fleet:
    """Running departments, each with a store below `folder`. Whoever starts it stops it; if it dies, so do they."""

    def __init__(self, folder: Path, children: dict[str, "subprocess.Popen[bytes]"], ports: dict[str, int]) -> None:
        self.routes_file = folder / "departments.yaml"
        self.secrets_folder = folder / "secrets"
        self._children = children
        self._ports = ports

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start all departments and write their routes and secrets. Raises RuntimeError if one is not ready in time."""
        folder = folder.resolve()
        children = {name: _child(name, folder / name) for name in NAMES}
        try:
            end = time.monotonic() + _START_SECONDS
            ports = {name: _ready_port(name, child, end) for name, child in children.items()}
            fleet = cls(folder, children, ports)
            fleet._write(folder)
        except BaseException:
            _end(children)
            raise
        return fleet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def control(self, name: str) -> str:
        """Return the address below which `/faults` and `/calls` of a department stand."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def set_fault(self, name: str, fault: str, seconds: float = 1.0) -> None:
        """Bend one department; `none` straightens it. `seconds` is how late a `slow` one answers."""
        self._control(name, "POST", "/faults", {"fault": fault, "seconds": seconds})

    def calls(self, name: str) -> dict[str, Any]:
        """Return `{"count": n, "last": [{"call", "requester", "operator", "matter", "case", "consent"}]}`."""
        return self._control(name, "GET", "/calls", None)

    def stop(self) -> None:
        """End every department; safe to repeat."""
        _end(self._children)

    def _control(self, name: str, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[name], timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise ValueError(f"{name} refused {path}: {answer.status}")
            told: dict[str, Any] = json.load(answer)
            return told
        finally:
            connection.close()

    def _write(self, folder: Path) -> None:
        self.secrets_folder.mkdir(mode=0o700, exist_ok=True)
        for name, (department, file) in _SECRETS.items():
            copied = self.secrets_folder / name
            copied.touch(mode=0o600)
            shutil.copyfile(folder / department / file, copied)
        filled = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(self._ports, tax_store=folder / "tax")
        self.routes_file.write_text(filled, encoding="utf-8")


def _child(name: str, store: Path) -> "subprocess.Popen[bytes]":
    store.mkdir(parents=True, exist_ok=True)
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with (store / "stderr.log").open("wb") as stderr:
        return subprocess.Popen(  # noqa: S603 - our own module, no words from outside
            [sys.executable, "-m", f"connectors.departments.{name}", "--store", str(store), "--end-with-stdin"],
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


def _end(children: dict[str, "subprocess.Popen[bytes]"]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    for child in children.values():
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
