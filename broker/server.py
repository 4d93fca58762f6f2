"""Serving the application on one address with uvicorn, quietly: our own log line per request is the access log."""

import os
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn

from broker.app import create_app
from broker.settings import Settings
from broker.telemetry import Telemetry
from broker.wiring import build, wall_clock


def make_server(settings: Settings, telemetry: Telemetry, clock: Callable[[], int] = wall_clock) -> uvicorn.Server:
    """A server that is built and checked but does not listen yet. Raises ConfigurationError."""
    app = create_app(build(settings, telemetry, clock))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="error",
        ws="none",
        server_header=False,
        date_header=True,
        proxy_headers=False,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=20,
    )
    server = uvicorn.Server(config)
    app.state.stopping = lambda: server.should_exit  # a long poll must not hold up the end
    return server


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    return socket.create_server((host, port), backlog=1024)


def end_with_stdin(server: uvicorn.Server) -> None:
    """End in order once stdin ends: whoever started this process and held it open is gone."""

    def watch(descriptor: int) -> None:
        while os.read(descriptor, 1024):  # not through sys.stdin: its lock, held here, would abort our own end
            pass
        server.should_exit = True

    threading.Thread(target=watch, args=(sys.stdin.fileno(),), daemon=True).start()
