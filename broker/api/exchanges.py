"""POST /v1/exchanges: step 1 of the one path, what leaves after step 10, and what became of it afterwards."""

from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response

from broker import aftermath, collection
from broker.aftermath import Told
from broker.api import wire
from broker.api.long_poll import look_until
from broker.exchange import Answered
from broker.wiring import Broker
from consent import jws
from policies.vocabulary import Outcome

router = APIRouter(tags=["requesters"])

ASK_AGAIN: Final = "5"
"""Seconds; who waits with `?wait=25` asks less often and hears sooner."""


@router.post("/v1/exchanges")
async def exchange(request: Request) -> Response:
    """Pull what was granted, once per use, recorded before it is asked and before it is answered."""
    broker = wire.broker_of(request)
    walk = broker.listener.begin()
    text = await wire.read_text(request, jws.EXCHANGE.limit, "application/jwt")  # 1
    answered = await broker.path.run(text, walk)  # 2 to 10
    return _reply(request, broker, answered)


@router.get("/v1/exchanges/{exchange}")
async def collect(request: Request, exchange: str, wait: int = 0) -> Response:
    """What was pending and is there by now; with `?wait=25`, wait that long for it. Spends no use."""
    verified = await wire.authenticate(request)
    broker = wire.broker_of(request)

    async def look() -> bool:
        return await broker.storage.read(
            lambda connection: collection.is_worth_collecting(connection, verified.requester, exchange)
        )

    await look_until(request, look, bool, wait)
    return _reply(request, broker, await collection.collect(broker.path, verified, exchange))


@router.post("/v1/exchanges/{exchange}/events")
async def tell(request: Request, exchange: str) -> Response:
    """Take the requester's word that what was released was `viewed` or `decided` upon. 201 with its receipt."""
    verified = await wire.authenticate(request)
    told = await wire.read_members(request, Told)
    aftermath.check_told(exchange, told)
    storage = wire.broker_of(request).storage
    release = await storage.read(lambda connection: aftermath.find_release(connection, verified.requester, exchange))
    recorded = await storage.record(lambda transaction: aftermath.record_told(transaction, release, told))
    return wire.reply({"exchange": exchange, "event": told.event, "receipt": wire.receipts(recorded)}, 201)


def _reply(request: Request, broker: Broker, answered: Answered) -> Response:
    """200, or 202 while an item is pending; as a token of the broker's where that is asked for."""
    outcomes = [result["outcome"] for result in answered.body["results"]]
    for result in answered.body["results"]:
        broker.telemetry.outcomes.labels(result["item"], result["outcome"]).inc()
    pending = Outcome.PENDING in outcomes
    signed = "application/jwt" in request.headers.get("accept", "")
    body = _signed(broker, answered) if signed else msgspec.json.encode(answered.body)
    headers = wire.NO_STORE | ({"Retry-After": ASK_AGAIN} if pending else {})
    return Response(body, 202 if pending else 200, headers, "application/jwt" if signed else "application/json")


def _signed(broker: Broker, answered: Answered) -> str:
    claims = {
        "iss": broker.settings.issuer,
        "aud": answered.requester,
        "iat": int(broker.now()),
        "request_sha256": answered.request_sha256,
        **answered.body,
    }
    return broker.keys.issuer.token("exchange-response+jwt", claims)
