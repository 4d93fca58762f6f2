"""What systemd and a process that serves say to each other: sockets handed over; ready, leaving, still alive.

Both are environment variables of sd_listen_fds(3) and sd_notify(3); where nobody has set them nothing is done.
"""

import os
import socket
from typing import Final

FIRST: Final = 3
"""The descriptors that are handed over begin here."""


def sockets_handed_over() -> list[socket.socket]:
    """Listening sockets that stay open while processes come and go: what connects meanwhile waits in the kernel."""
    count, meant_for = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if meant_for != str(os.getpid()) or not count.isdigit():
        return []
    handed = [socket.socket(fileno=number) for number in range(FIRST, FIRST + int(count))]
    for one in handed:
        one.set_inheritable(False)
        one.setblocking(False)
    return handed


def tell(state: str) -> None:
    """Say `READY=1` and the like to whoever started this process and listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaking:
        speaking.connect("\0" + address[1:] if address.startswith("@") else address)
        speaking.sendall(state.encode())


def seconds_between_signs() -> int:
    """How often a watchdog wants to hear that this process lives; 0 where none listens."""
    microseconds, meant_for = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or meant_for != str(os.getpid()):
        return 0
    return max(int(microseconds) // 2_000_000, 1)


async def sign_of_life() -> None:
    """Sent from the event loop, so one that hangs sends none."""
    tell("WATCHDOG=1")
