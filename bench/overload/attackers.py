"""python -m bench.overload.attackers PORT KIND NUMBER: slow clients in a process of their own, until all are closed.

Prints one JSON object: how long after its connection was open the first, the middle and the last of them was closed.
"""

import json
import resource
import socket
import sys
import time
from dataclasses import dataclass
from typing import Final

KINDS: Final = {
    "heads": (b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\n", b"X"),
    "bodies": (
        b"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\nContent-Type: application/jwt\r\nContent-Length: 900\r\n\r\n",
        b"x",
    ),
    "readers": (b"GET /v1/catalogue HTTP/1.1\r\nHost: x\r\n\r\n", b""),
}
"""What each sends at once, and what it drips; who drips nothing takes its answer by the byte."""
EARS: Final = 4096
"""Bytes that a slow reader's own system takes for it."""
EVERY: Final = 0.25
"""Seconds between looks whether a connection still stands; a byte is dripped or taken once a second."""
GIVES_UP: Final = 60.0


@dataclass(slots=True)
class Client:
    connection: socket.socket
    opened: float
    closed: float = 0.0

    def stands(self, *, reads: bool) -> bool:
        """Whether the other side has not closed; of a reader only a reset shows, for what has come may be read yet."""
        if self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        try:
            return reads or bool(self.connection.recv(4096))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def drip(self, dripped: bytes) -> None:
        try:
            if dripped:
                self.connection.send(dripped)
            else:
                self.connection.recv(1)
        except OSError:  # seen by the next look
            return


def main(port: int, kind: str, number: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    first, dripped = KINDS[kind]
    clients = [_open(port, first) for _ in range(number)]
    standing, looks, began = clients, 0, time.monotonic()
    while standing and time.monotonic() - began < GIVES_UP:
        time.sleep(EVERY)
        looks += 1
        for client in standing:
            if client.stands(reads=not dripped):
                if looks % 4 == 0:
                    client.drip(dripped)
            else:
                client.closed = time.monotonic()
                client.connection.close()
        standing = [client for client in standing if not client.closed]
    lives = sorted(client.closed - client.opened for client in clients if client.closed)
    told = {
        "closed": len(lives),
        "left": len(standing),
        "opening_seconds": round(clients[-1].opened - clients[0].opened, 2),
        "first": round(lives[0], 2) if lives else None,
        "middle": round(lives[len(lives) // 2], 2) if lives else None,
        "last": round(lives[-1], 2) if lives else None,
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _open(port: int, first: bytes) -> Client:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, EARS)
    connection.connect(("127.0.0.1", port))
    opened = time.monotonic()
    connection.send(first)
    connection.setblocking(False)
    return Client(connection, opened)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
