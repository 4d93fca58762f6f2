"""What every process that serves needs of its machine: a listening socket, and an end with whoever started it."""

import os
import resource
import socket
import sys
import threading
from collections.abc import Iterable
from typing import Final

import uvicorn

DESCRIPTORS: Final = 65_536
"""More than any process of ours has use for."""

HANDS: Final = 32


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    return socket.create_server((host, port), backlog=1024)


def many_handed(listeners: Iterable[socket.socket]) -> list[socket.socket]:
    """The same sockets, HANDS times each: an event loop takes one new connection of a socket each round (libuv 1.45).

    Whoever comes behind a thousand others would wait for a thousand rounds, and for all that is done in them.
    """
    return [one.dup() for one in listeners for _ in range(HANDS)]


def take_descriptors() -> None:
    """Have as many connections as this user may; the usual limit is a courtesy to programs of the last century."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def end_with_stdin(server: uvicorn.Server) -> None:
    """End in order once stdin ends: whoever started this process and held it open is gone."""

    def watch(descriptor: int) -> None:
        while os.read(descriptor, 1024):  # not through sys.stdin: its lock, held here, would abort our own end
            pass
        server.should_exit = True

    threading.Thread(target=watch, args=(sys.stdin.fileno(),), daemon=True).start()
