"""A requester's own small server for its events: remembers what it was sent, answers as it is told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

ELSEWHERE = "/elsewhere"


@dataclass
class Listener:
    """`statuses` are what it answers next, then 204 for ever."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.visited.append(request.path)
        assert request.content_type == "application/jwt"
        status = self.statuses.pop(0) if self.statuses else 204
        self.received.append(await request.text())
        return web.Response(status=status, headers={"Location": ELSEWHERE} if status // 100 == 3 else {})


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """On a free port of loopback."""
    listener = Listener()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listener.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
        yield listener
    finally:
        await runner.cleanup()
