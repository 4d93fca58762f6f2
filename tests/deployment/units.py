"""`broker serve` as systemd runs it: listening sockets handed over, ready when it says so, told to end by SIGTERM."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.serving import ROOT

PATIENCE = 60.0
# Between fork and exec the child's id is not known to us, and its id is what LISTEN_PID has to be
HAND_OVER = """
import fcntl, os, sys
handed = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in sys.argv[1].split(",")]
for place, number in enumerate(handed, 3):
    os.dup2(number, place)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(handed))}
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def listening(port: int = 0) -> socket.socket:
    """A socket that stays open while processes come and go."""
    return socket.create_server(("127.0.0.1", port), backlog=1024)


@dataclass
class Unit:
    """One `broker@N`, through all the lives of its process."""

    config: Path
    sockets: list[socket.socket]
    """What is shared with others first, then its own."""
    hearing: socket.socket
    told: list[str] = field(default_factory=list)
    child: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.sockets[-1].getsockname()[1]}"

    def start(self) -> None:
        """Returns once it has said that it is ready, as `systemctl start` does."""
        numbers = [one.fileno() for one in self.sockets]
        command = [sys.executable, "-c", HAND_OVER, ",".join(map(str, numbers))]
        serve = ["-m", "broker", "serve", "--config", str(self.config), "--end-with-stdin"]
        with self.config.with_suffix(".log").open("ab") as log:
            self.child = subprocess.Popen(
                [*command, *serve],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": str(self.hearing.getsockname())},
                cwd=ROOT,
                pass_fds=numbers,
            )
        self.hear("READY=1")

    def tell_to_end(self) -> None:
        """Returns once it has said that it heard."""
        assert self.child is not None
        self.child.send_signal(signal.SIGTERM)
        self.hear("STOPPING=1")

    def wait(self) -> int:
        assert self.child is not None
        self.child.communicate(timeout=PATIENCE)
        return self.child.returncode

    def hear(self, state: str) -> None:
        end = time.monotonic() + PATIENCE
        while state not in self.told:
            try:
                self.told.append(self.hearing.recv(200).decode())
            except TimeoutError:
                over = self.child is None or self.child.poll() is not None or time.monotonic() > end
                assert not over, self.config.with_suffix(".log").read_text(encoding="utf-8")[-2000:]
        self.told.clear()


@contextmanager
def units(config: Path, shared: socket.socket, count: int) -> Iterator[list[Unit]]:
    """So many, each started, over one shared socket and one of its own each."""
    made: list[Unit] = []
    try:
        for number in range(1, count + 1):
            hearing = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            hearing.settimeout(0.5)
            hearing.bind(str(config.with_name(f"notify-{number}")))
            unit = Unit(config, [shared, listening()], hearing)
            made.append(unit)
            unit.start()
        yield made
    finally:
        for unit in made:
            if unit.child is not None and unit.child.poll() is None:
                unit.child.kill()
                unit.wait()
            unit.hearing.close()
            unit.sockets[-1].close()
