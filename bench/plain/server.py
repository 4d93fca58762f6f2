"""One process of the plain program: python -m bench.plain.server CONFIGURATION.

One ready line on stdout, an orderly end when stdin ends.
"""

import json
import os
import sys
from pathlib import Path

import uvicorn

from bench.plain.app import Configuration, make_app
from broker.listening import end_with_stdin, listen_on


def main(file: Path) -> None:
    """Serve on a free port of loopback."""
    listener = listen_on("127.0.0.1", 0)
    app = make_app(Configuration.model_validate_json(file.read_text(encoding="utf-8")))
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, log_level="warning", timeout_keep_alive=30
    )
    server = uvicorn.Server(config)
    sys.stdout.write(json.dumps({"pid": os.getpid(), "port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    end_with_stdin(server)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
