"""POST /v1/exchanges: step 1 of the one path, what leaves after step 10, and what became of it afterwards."""

from fastapi import APIRouter, Request, Response

from broker import aftermath
from broker.aftermath import Told
from broker.api import wire
from broker.exchange import Answered
from broker.wiring import Broker
from consent import jws

router = APIRouter(tags=["requesters"])


@router.post("/v1/exchanges")
async def exchange(request: Request) -> Response:
    """Pull what was granted, once per use, recorded before it is asked and before it is answered."""
    broker = wire.broker_of(request)
    text = await wire.read_text(request, jws.EXCHANGE.limit, "application/jwt")  # 1
    answered = await broker.path.run(text)  # 2 to 10
    for result in answered.body["results"]:
        broker.telemetry.outcomes.labels(result["item"], result["outcome"]).inc()
    if "application/jwt" in request.headers.get("accept", ""):
        return Response(_signed(broker, answered), 200, wire.NO_STORE, "application/jwt")
    return wire.reply(answered.body)


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


def _signed(broker: Broker, answered: Answered) -> str:
    claims = {
        "iss": broker.settings.issuer,
        "aud": answered.requester,
        "iat": int(broker.now()),
        "request_sha256": answered.request_sha256,
        **answered.body,
    }
    return broker.keys.issuer.token("exchange-response+jwt", claims)
