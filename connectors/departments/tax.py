"""Test department: the tax office (税务局), a front-end exchange database that it fills; no HTTP for the data."""

import asyncio
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.departments.exchange_database import ExchangeDatabase
from connectors.departments.faults import Fault
from connectors.departments.serving import arguments, serve

_REFRESH_SECONDS: Final = 30


def main() -> None:
    """Run until told to end."""
    given = arguments("test department: tax office")
    database = ExchangeDatabase(given.store)

    unlocking: list[asyncio.TimerHandle] = []

    async def bend(request: Request) -> Response:
        fault = msgspec.json.decode(await request.body(), type=Fault)
        while unlocking:
            unlocking.pop().cancel()  # or it would end a fault that was set after its own
        database.bend(fault.fault)
        if fault.fault == "slow":
            unlocking.append(asyncio.get_running_loop().call_later(fault.seconds, database.unlock))
        return JSONResponse({"fault": fault.fault})

    async def tell(_request: Request) -> Response:
        return JSONResponse(database.calls())

    async def refresh() -> None:
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            database.refresh()

    app = Starlette(routes=[Route("/faults", bend, methods=["POST"]), Route("/calls", tell, methods=["GET"])])
    serve(app, given, beside=refresh)
    database.close()


if __name__ == "__main__":
    main()
