"""A witness on a port: the two addresses of C2SP tlog-witness, and nothing of the broker's."""

import asyncio
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from audit.errors import NotInLog
from audit.witness import REQUEST_LIMIT, Witness, WitnessAnswer, refuse
from audit.witness_store import WitnessStore

RECEIVE_WITHIN: Final = 10.0
"""Seconds for a request to arrive; whoever is slower is not waited for."""
_TEXT: Final = "text/plain; charset=utf-8"


def create_witness_app(witness: Witness, store: WitnessStore, log: Any) -> Starlette:
    """The witness as an ASGI application. `log` gets one line for each request that is refused."""

    async def add_checkpoint(request: Request) -> Response:
        body = await _received(request)
        answer = body if isinstance(body, WitnessAnswer) else await asyncio.to_thread(witness.add_checkpoint, body)
        if answer.status != 200:  # noqa: PLR2004 - the protocol's own number
            # What a log sends that is inconsistent may be proof against it, so each refusal is told
            log.warning("add-checkpoint refused", status=answer.status, said=answer.body.strip())
        # As a header, not as `media_type`, to which a charset would be added
        return Response(answer.body, answer.status, {"Content-Type": answer.media_type})

    async def checkpoint(request: Request) -> Response:
        try:
            note = await asyncio.to_thread(store.checkpoint, request.path_params["origin_hash"])
        except NotInLog as error:
            return Response(f"{error}\n", 404, media_type=_TEXT)
        return Response(note, media_type=_TEXT, headers={"Cache-Control": "no-cache"})

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", checkpoint, methods=["GET"]),
        ]
    )


def make_witness_server(app: Starlette) -> uvicorn.Server:
    """A server for a listening socket that the caller gives it."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


async def _received(request: Request) -> bytes | WitnessAnswer:
    received = bytearray()
    try:
        async with asyncio.timeout(RECEIVE_WITHIN):
            async for chunk in request.stream():
                received += chunk
                if len(received) > REQUEST_LIMIT:
                    return refuse(400, "invalid input: the request is too large").answer
    except (TimeoutError, ClientDisconnect):
        return refuse(400, "invalid input: the request did not arrive").answer
    return bytes(received)
