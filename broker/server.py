"""Serving the application on one address with uvicorn, quietly: our own log line per request is the access log."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import uvicorn

from broker import slow_clients, systemd
from broker.app import create_app
from broker.door import Door, connections_of
from broker.leaving import LeavingServer
from broker.listening import take_descriptors
from broker.settings import Settings
from broker.telemetry import Telemetry
from broker.wiring import build, wall_clock


def make_server(settings: Settings, telemetry: Telemetry, clock: Callable[[], int] = wall_clock) -> LeavingServer:
    """A server that is built and checked but does not listen yet. Raises ConfigurationError."""
    take_descriptors()
    broker = build(settings, telemetry, clock)
    app, door = create_app(broker), Door(broker.path, telemetry)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=connections_of(settings.issuer, door),
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
        callback_notify=systemd.sign_of_life if (signs := systemd.seconds_between_signs()) else None,
        timeout_notify=signs,
    )

    async def beside(connections: Iterable[Any]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(slow_clients.watch(connections, settings.load.slow_seconds, telemetry.observe_slow))
            group.create_task(door.tell())

    server = LeavingServer(config, settings.leave_seconds, beside)
    app.state.stopping = lambda: server.closed  # a long poll must not hold up the end
    app.state.leaving = lambda: server.leaving
    return server
