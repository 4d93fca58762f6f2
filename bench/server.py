"""The process under test: a broker as it is served, and beside it the bare FastAPI hello.

python -m bench.server FOLDER [OPTIONS]; one ready line on stdout, an orderly end when stdin ends. With --routes it
founds the broker in FOLDER; without, it is one more process of the broker that is there, on a port of its own.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Final, cast

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from broker.founding import CONFIGURATION, found_broker
from broker.keys import read_keys
from broker.listening import end_with_stdin, listen_on
from broker.server import make_server
from broker.settings import Settings, read_settings
from broker.telemetry import Telemetry, open_log
from policies.catalogue import SHIPPED_CATALOGUE
from policies.decision import Facts, Permit, Rules

HELLO: Final = "/hello"


def main() -> None:
    """Serve on a free port of loopback."""
    given = _arguments()
    listener = listen_on("127.0.0.1", 0)
    port = listener.getsockname()[1]
    settings = _founded(given, port) if given.routes else _joined(given.folder, port)
    if given.undecided:
        Rules.decide = _decide_nothing  # type: ignore[method-assign, assignment]
    server = make_server(settings, Telemetry(open_log()))
    server.config.app = beside(cast("ASGIApp", server.config.app), hello_app())
    vkey = read_keys(settings.secrets, settings.log_origin).log.vkey
    sys.stdout.write(json.dumps({"pid": os.getpid(), "port": port, "vkey": vkey}) + "\n")
    sys.stdout.flush()
    end_with_stdin(server)
    server.run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.server")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--routes", type=Path)
    parser.add_argument("--route-secrets", type=Path)
    parser.add_argument("--database", default="broker.db")
    parser.add_argument("--catalogue", type=Path, default=SHIPPED_CATALOGUE)
    parser.add_argument("--undecided", action="store_true", help="leave out step 5, to see what it costs")
    return parser.parse_args()


def _decide_nothing(_rules: Rules, _facts: Facts) -> Permit:
    return Permit(("left out",))


def _founded(given: argparse.Namespace, port: int) -> Settings:
    found_broker(
        given.folder,
        issuer=f"http://127.0.0.1:{port}",
        port=port,
        routes=given.routes,
        route_secrets=given.route_secrets,
        test_identity=True,
        database=given.database,
    )
    file: Path = given.folder / CONFIGURATION
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"catalogue: {json.dumps(str(given.catalogue))}\n")
    return read_settings(file)


def _joined(folder: Path, port: int) -> Settings:
    text = (folder / CONFIGURATION).read_text(encoding="utf-8")
    file = folder / f"broker-{port}.yaml"
    file.write_text(re.sub(r"(?m)^  port: [0-9]+$", f"  port: {port}", text), encoding="utf-8")
    return read_settings(file)


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


if __name__ == "__main__":
    main()
