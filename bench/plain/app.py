"""The plain program's HTTP side: three routes with pydantic models."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
from fastapi import FastAPI, Request
from pydantic import BaseModel

from bench.plain.departments import TIMEOUT, Address, Departments
from bench.plain.exchange import Exchanges
from bench.plain.models import Answer, NewConsent, NewKey
from bench.plain.tables import Consent, Key, Store
from bench.plain.tokens import read_consent

CONNECTIONS: Final = httpx.Limits(max_connections=200, max_keepalive_connections=200)


class Configuration(BaseModel):
    database: str
    issuer: str
    """What tokens name as their audience."""
    departments: dict[str, Address]
    """By item."""


def make_app(configuration: Configuration) -> FastAPI:
    store = Store(configuration.database)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(limits=CONNECTIONS, timeout=TIMEOUT) as client:
            app.state.exchanges = Exchanges(store, Departments(client, configuration.departments), configuration.issuer)
            yield
        await store.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/exchanges")
    async def exchange(request: Request) -> Answer:
        exchanges: Exchanges = app.state.exchanges
        return await exchanges.run((await request.body()).decode("ascii", "replace"))

    @app.post("/keys", status_code=204)
    async def register(key: NewKey) -> None:
        async with store.sessions() as session, store.turn(session):
            session.add(Key(**key.model_dump()))

    @app.post("/consents", status_code=204)
    async def grant(given: list[NewConsent]) -> None:
        async with store.sessions() as session, store.turn(session):
            for one in given:
                await session.merge(Key(kid=one.kid, owner=one.kid, jwk=one.jwk))
                claims = await read_consent(session, one.consent, configuration.issuer)
                person = {"name": one.name, "id_number": one.id_number}
                session.add(Consent(jti=claims.jti, uses=claims.uses, **person))

    return app
