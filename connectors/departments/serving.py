"""A test department as a process: loopback only, one ready line, an orderly end by SIGTERM or with its parent."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connectors.departments.faults import CallBook, Fault, bent

_CONTROL: Final = (b"POST /faults", b"GET /calls")


@dataclass(frozen=True, slots=True)
class Arguments:
    """What every department's command line gives."""

    store: Path
    port: int
    end_with_stdin: bool


class Department:
    """A department that answers over HTTP, and the two control addresses that bend it."""

    def __init__(self, path: str, reply: Callable[[Request, Fault], Awaitable[Response]]) -> None:
        self.fault = Fault("none")
        self._reply = reply
        self._calls = CallBook()
        self.app = Starlette(
            routes=[
                Route(path, self._answer, methods=["POST"]),
                Route("/faults", self._bend, methods=["POST"]),
                Route("/calls", self._tell, methods=["GET"]),
            ]
        )

    async def _answer(self, request: Request) -> Response:
        self._calls.note(request.headers)
        fault = self.fault
        return await bent(fault, await self._reply(request, fault), request)

    async def _bend(self, request: Request) -> Response:
        self.fault = msgspec.json.decode(await request.body(), type=Fault)
        return JSONResponse({"fault": self.fault.fault})

    async def _tell(self, _request: Request) -> Response:
        return JSONResponse(self._calls.told())

    def protocol(self) -> type[HttpToolsProtocol]:
        """Return uvicorn's protocol, but cutting every connection for data while the fault is `down`."""
        department = self

        class Cutting(HttpToolsProtocol):
            _controls = False  # a request may come in several pieces, of which only the first tells what it is

            def data_received(self, data: bytes) -> None:
                self._controls = self._controls or data.startswith(_CONTROL)
                if department.fault.fault == "down" and not self._controls:
                    self.transport.abort()
                else:
                    super().data_received(data)

        return Cutting


def arguments(description: str) -> Arguments:
    """Return the command line: `--store DIR [--port 0] [--end-with-stdin]`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--end-with-stdin", action="store_true", help="end when whoever started this is gone")
    given = parser.parse_args()
    return Arguments(given.store, given.port, given.end_with_stdin)


def serve(
    app: Starlette,
    given: Arguments,
    protocol: type[asyncio.Protocol] | None = None,
    beside: Callable[[], Coroutine[None, None, None]] | None = None,
) -> None:
    """Serve on loopback, with `beside` running along, until SIGTERM, or until stdin ends if that was asked for."""
    listener = socket.create_server(("127.0.0.1", given.port), backlog=1024)
    config = uvicorn.Config(
        _announced(app, listener.getsockname()[1], beside),
        http=protocol or "httptools",
        loop="uvloop",
        lifespan="on",
        log_level="critical",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    if given.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it once more after its own orderly end
    server.run(sockets=[listener])


def _announced(app: Starlette, port: int, beside: Callable[[], Coroutine[None, None, None]] | None) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sys.stdout.write(json.dumps({"ready": True, "port": port}) + "\n")
        sys.stdout.flush()
        task = asyncio.create_task(beside()) if beside else None
        yield
        if task:
            task.cancel()

    app.router.lifespan_context = lifespan
    return app


def _end_with_stdin(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 1024):  # not through sys.stdin: its lock, held here, would abort our own end
        pass
    server.should_exit = True
