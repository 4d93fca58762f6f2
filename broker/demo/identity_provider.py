"""`python -m broker.demo.identity_provider`: the TEST identity provider as a process of its own, on loopback only."""

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path

import uvicorn

from broker.demo.identity_app import BelievingProvider, Client
from broker.listening import end_with_stdin, listen_on
from broker.loopback import is_loopback


def main() -> None:
    given = _arguments()
    if not is_loopback(given.host):
        sys.exit("this provider believes everybody: it listens on loopback only")
    listener = listen_on(given.host, given.port)
    issuer = f"http://{given.host}:{listener.getsockname()[1]}"
    client = Client(given.client_id, given.secret_file.read_text(encoding="ascii").strip())
    config = uvicorn.Config(
        BelievingProvider(issuer, client).app,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    if given.end_with_stdin:
        end_with_stdin(server)
    sys.stdout.write(json.dumps({"ready": True, "issuer": issuer, "pid": os.getpid(), "test_only": True}) + "\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):  # a Ctrl-C at the demo reaches its children too
        server.run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--client-id", default="consent-broker")
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--end-with-stdin", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
