"""Serving the application on one address with uvicorn, quietly: our own log line per request is the access log."""

import functools
from collections.abc import Callable

import uvicorn

from broker import slow_clients, systemd
from broker.app import create_app
from broker.leaving import LeavingServer
from broker.listening import take_descriptors
from broker.settings import Settings
from broker.telemetry import Telemetry
from broker.wiring import build, wall_clock


def make_server(settings: Settings, telemetry: Telemetry, clock: Callable[[], int] = wall_clock) -> LeavingServer:
    """A server that is built and checked but does not listen yet. Raises ConfigurationError."""
    take_descriptors()
    app = create_app(build(settings, telemetry, clock))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=slow_clients.protocol_of(settings.issuer),
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
    watching = functools.partial(slow_clients.watch, within=settings.load.slow_seconds, tell=telemetry.observe_slow)
    server = LeavingServer(config, settings.leave_seconds, watching)
    app.state.stopping = lambda: server.closed  # a long poll must not hold up the end
    app.state.leaving = lambda: server.leaving
    return server
