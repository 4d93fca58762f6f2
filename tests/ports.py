"""A port to listen on later, and again after a restart."""

import random
import socket

BELOW_THE_EPHEMERAL = range(20_000, 32_000)
"""Of the others the system gives any connection that goes out, and none stays free for long."""


def free_port() -> int:
    while True:
        port = random.SystemRandom().choice(BELOW_THE_EPHEMERAL)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
