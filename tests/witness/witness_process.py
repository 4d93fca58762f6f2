"""A real witness in a process of its own, and logs to show it: honest ones and ones that tell two stories."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from audit.checkpoint import LogSigner
from audit.merkle import EMPTY_FRONTIER, Growth, consistency_path, hash_leaf
from audit.witness import Witness
from audit.witness_store import WitnessStore
from broker.commands.witness import app, read_cosigner
from broker.listening import listen_on
from broker.telemetry import open_log
from broker.witness_server import create_witness_app, make_witness_server

ORIGIN = "log.example/watched"
SIGNER = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
BROKER = (sys.executable, "-m", "broker")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Running:
    """A witness that accepts connections."""

    address: str
    vkey: str
    process: "subprocess.Popen[str] | None" = None

    def add(self, body: str | bytes) -> Answer:
        return called(f"{self.address}/add-checkpoint", body if isinstance(body, bytes) else body.encode())

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def called(url: str, body: bytes | None = None) -> Answer:
    """One HTTP call; whatever status comes back is an answer."""
    try:
        with urlopen(Request(url, data=body), timeout=20) as reply:
            return Answer(reply.status, reply.read().decode(), reply.headers["content-type"])
    except HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), error.headers["content-type"])


def command(*arguments: str) -> tuple[int, str, str]:
    """Run one of `broker witness`'s commands in this process; its exit code, output and talk."""
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, done.stdout, done.stderr


def new_witness(folder: Path, *log_vkeys: str, name: str = "witness.example/w1") -> str:
    """Make a witness's folder; its verifier key."""
    code, out, said = command("init", str(folder), "--name", name, "--json")
    assert code == 0, said
    for vkey in log_vkeys:
        assert command("add-log", str(folder), "--vkey", vkey)[0] == 0
    return str(json.loads(out)["vkey"])


@contextmanager
def serving(folder: Path, *wrapper: str, port: int = 0) -> Iterator[Running]:
    """The witness of a folder as its own process, perhaps under a `wrapper` like strace."""
    arguments = [*wrapper, *BROKER, "witness", "serve", str(folder), "--port", str(port)]
    with (folder / "stderr").open("a") as stderr:
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=stderr, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (folder / "stderr").read_text()
        ready = json.loads(line)
        assert ready["ready"] is True
        yield Running(ready["address"], ready["vkey"], process)
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)


def in_process(folder: Path) -> Witness:
    """The rules over a witness's store, without a server."""
    return Witness(read_cosigner(folder), WitnessStore(folder / "witness.db"), lambda: int(time.time()))


@contextmanager
def in_thread(folder: Path, port: int = 0) -> Iterator[Running]:
    """The witness of a folder on a real port of this process, for tests in which it need not die."""
    store = WitnessStore(folder / "witness.db")
    cosigner = read_cosigner(folder)
    witness = Witness(cosigner, store, lambda: int(time.time()))
    server = make_witness_server(create_witness_app(witness, store, open_log(StringIO())))
    listener = listen_on("127.0.0.1", port)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", cosigner.vkey)
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def answering(answer: Callable[[bytes], tuple[int, bytes]]) -> Iterator[str]:
    """A server that answers every POST as told; its address."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, octets = answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            with suppress(OSError):  # who reads no further than it must hangs up
                self.wfile.write(octets)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class ToldLog:
    """A log of made-up leaves: what it signs and proves is true of the leaves it was given, whatever they are."""

    def __init__(self, leaves: Sequence[str], signer: LogSigner = SIGNER) -> None:
        self.leaves = [hash_leaf(leaf.encode()) for leaf in leaves]
        self.signer = signer

    @classmethod
    def counted(cls, size: int, story: str = "") -> "ToldLog":
        return cls([f"{story}{number}" for number in range(size)])

    def checkpoint(self, size: int) -> bytes:
        return self.signer.sign(size, self._grown(size).frontier().root())

    def root(self, size: int) -> bytes:
        return self._grown(size).frontier().root()

    def request(self, old: int, size: int) -> str:
        """An add-checkpoint request, with the proof that these leaves give."""
        node = self._grown(size).created
        path = consistency_path(old, size, lambda level, number: node[level, number]) if old else ()
        lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in path)
        return f"old {old}\n{lines}\n{self.checkpoint(size).decode()}"

    def _grown(self, size: int) -> Growth:
        growth = Growth(EMPTY_FRONTIER)
        for leaf in self.leaves[:size]:
            growth.append(leaf)
        return growth


def origin_hash(origin: str = ORIGIN) -> str:
    return sha256(origin.encode()).hexdigest()
