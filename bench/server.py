"""The process under test: a newly founded broker as it is served, and beside it the bare FastAPI hello.

python -m bench.server FOLDER ROUTES ROUTE_SECRETS; one ready line on stdout, an orderly end when stdin ends.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Final, cast

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.founding import found_broker
from broker.keys import read_keys
from broker.server import listen_on, make_server
from broker.telemetry import Telemetry, open_log

HELLO: Final = "/hello"


def main(folder: Path, routes: Path, route_secrets: Path) -> None:
    """Found a broker in `folder` and serve it on a free port of loopback."""
    listener = listen_on("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = found_broker(
        folder,
        issuer=f"http://127.0.0.1:{port}",
        port=port,
        routes=routes,
        route_secrets=route_secrets,
        test_identity=True,
    )
    server = make_server(settings, Telemetry(open_log()))
    server.config.app = beside(cast("ASGIApp", server.config.app), hello_app())
    vkey = read_keys(settings.secrets, settings.log_origin).log.vkey
    sys.stdout.write(json.dumps({"port": port, "vkey": vkey}) + "\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[listener])


def hello_app() -> FastAPI:
    """What everybody's first FastAPI program does."""
    app = FastAPI()

    @app.get(HELLO)
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    return app


def beside(broker: ASGIApp, hello: ASGIApp) -> ASGIApp:
    """Both in one process: neither passes through the other's layers."""

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = hello if scope.get("path") == HELLO else broker
        await chosen(scope, receive, send)

    return either


def _end_with_stdin(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    server.should_exit = True


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
