"""A misbehaving front door: stands before anything that speaks over TCP, in clear or behind TLS, and bends its answers.

`POST /faults` with `{"fault": ..., "after": n}` bends it from then on, after n further bytes of each connection's
answers; every connection that was open is cut. `GET /front` names the port that callers use. Certificates for TLS lie
in the store as `<name>.pem`; the fault `expired` or `wrong_certificate` shows the one of that name.
"""

import argparse
import asyncio
import contextlib
import socket
import ssl
import struct
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.departments.serving import Arguments, serve

FrontFault = Literal[
    "none", "refused", "hang_connect", "hang_body", "reset", "drip", "cut", "expired", "wrong_certificate"
]
FAULTS: Final[tuple[str, ...]] = get_args(FrontFault)

_CHUNK: Final = 1 << 16
_BACKLOG: Final = 128


class Bend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /faults` takes."""

    fault: FrontFault
    after: int = 0


class Front:
    """The door. Owned by one event loop."""

    def __init__(self, target: str, store: Path, *, tls: bool) -> None:
        self._target = target
        self._store = store
        self._tls = tls
        self._bend = Bend("none")
        self._listener = self._bound(0)
        self.port: int = self._listener.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.StreamWriter] = set()
        self._waiting: list[socket.socket] = []

    async def bend(self, bend: Bend) -> None:
        """Cut what is open, then stand as told."""
        await self._shut()
        self._bend = bend
        if bend.fault == "refused":
            return
        self._listener = self._bound(self.port)
        if bend.fault == "hang_connect":
            self._fill_up()
            return
        self._listener.listen(_BACKLOG)
        certificate = bend.fault if bend.fault in {"expired", "wrong_certificate"} else "good"
        context = self._context(certificate) if self._tls else None
        self._server = await asyncio.start_server(self._serve, sock=self._listener, ssl=context)

    async def _shut(self) -> None:
        for writer in list(self._callers):
            writer.transport.abort()
        for one in self._waiting:
            one.close()
        self._waiting.clear()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._listener.close()

    def _bound(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        return listener

    def _fill_up(self) -> None:
        """Nobody accepts, and the queue is full: a further caller's SYN is not answered."""
        self._listener.listen(0)
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", self.port))
            self._waiting.append(one)

    def _context(self, certificate: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._store / f"{certificate}.pem")
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._callers.add(writer)
        with contextlib.suppress(OSError):
            source, sink = await self._open_target()
            asking = asyncio.create_task(_pass_on(reader, sink))
            try:
                await self._answer(source, writer)
            finally:
                asking.cancel()
                sink.close()
        writer.close()
        self._callers.discard(writer)

    async def _open_target(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._target.startswith("/"):
            return await asyncio.open_unix_connection(self._target)
        host, _, port = self._target.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _answer(self, source: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = self._bend.after
        while data := await source.read(_CHUNK):
            if self._bend.fault in {"none", "expired", "wrong_certificate"}:
                writer.write(data)
            else:
                writer.write(data[:left])
                if len(data) > left:
                    await writer.drain()
                    await self._misbehave(data[left:], writer)
                    return
                left -= len(data)
            await writer.drain()

    async def _misbehave(self, rest: bytes, writer: asyncio.StreamWriter) -> None:
        fault = self._bend.fault
        if fault == "reset":
            _reset(writer)
        elif fault == "hang_body":
            await asyncio.Event().wait()
        elif fault == "drip":
            for at in range(len(rest)):
                writer.write(rest[at : at + 1])
                await writer.drain()
                await asyncio.sleep(1)


async def _pass_on(reader: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        sink.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End with RST in place of FIN: what a firewall does."""
    raw = writer.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main() -> None:
    """Run until told to end."""
    parser = argparse.ArgumentParser(description="a misbehaving front door")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--end-with-stdin", action="store_true")
    parser.add_argument("--target", required=True, help="host:port, or the path of a Unix socket")
    parser.add_argument("--tls", action="store_true")
    given = parser.parse_args()
    front = Front(given.target, given.store, tls=given.tls)

    async def bend(request: Request) -> Response:
        await front.bend(msgspec.json.decode(await request.body(), type=Bend))
        return JSONResponse({})

    async def tell(_request: Request) -> Response:
        return JSONResponse({"port": front.port})

    async def open_at_once() -> None:
        await front.bend(Bend("none"))
        await asyncio.Event().wait()

    app = Starlette(routes=[Route("/faults", bend, methods=["POST"]), Route("/front", tell, methods=["GET"])])
    serve(app, Arguments(given.store, 0, given.end_with_stdin), beside=open_at_once)


if __name__ == "__main__":
    main()
