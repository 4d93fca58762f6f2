"""/v1/authorization-requests: a requester asks, waits, renews the link or takes the request back.

A request of one matter has an id `ar_...`; a bundle, which asks for several recipients under one link, `bd_...`.
"""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from audit.batch import Transaction
from broker import requesters
from broker.api import wire
from broker.api.long_poll import look_until
from broker.asking import ask
from broker.bundles import FiledBundle, ask_bundle, bundle_members, cancel_bundle, own_bundle, status_of
from broker.filing import FilingBody, PartOf
from broker.moments import rfc3339
from broker.requesters import VerifiedRequest, spend_jti
from broker.wiring import Broker
from consent import asking, bundles, grants, jws, requests, subjects
from consent.asking import AuthorizationRequest
from consent.tickets import Ticket
from consent.token import read_claims
from policies.refusals import Code, Refusal, Refused, TokenRole

router = APIRouter(prefix="/v1/authorization-requests", tags=["requesters"])


@router.post("")
async def file(request: Request) -> Response:
    """File a request. 201 with the link for the person; the ticket in it is known to nobody else."""
    broker = wire.broker_of(request)
    text = await wire.read_text(request, jws.REQUEST.limit, "application/jwt")
    verified = broker.requester_keys.verify(
        text,
        profile=jws.REQUEST,
        typ="authorization-request+jwt",
        body=FilingBody,
        audience=broker.settings.issuer,
        now=broker.now(),
    )
    recorded = await broker.storage.record(lambda transaction: _file(transaction, broker, verified))
    filed = recorded.value
    if isinstance(filed, Refusal):
        raise Refused.because(filed)
    if isinstance(filed, FiledBundle):
        known = await broker.storage.read(lambda connection: bundle_members(connection, broker, filed.asked))
        return wire.reply(known | _ticket_members(broker, filed.ticket, asking.PENDING), 201)
    return wire.reply(_ticket_members(broker, filed, asking.PENDING), 201)


@router.get("/{id}")
async def read(request: Request, id: str, wait: int = 0) -> Response:  # noqa: A002 - the protocol's name
    """The request as it stands; `wait` seconds at most for the person's answer."""
    verified = await wire.authenticate(request)
    broker = wire.broker_of(request)
    members = await look_until(
        request,
        lambda: broker.storage.read(lambda connection: _read(connection, broker, verified.requester, id)),
        lambda seen: seen["status"] not in (asking.PENDING, asking.OPENED),
        wait,
    )
    return wire.reply(members)


@router.post("/{id}/renew")
async def renew(request: Request, id: str) -> Response:  # noqa: A002 - the protocol's name
    """A new link; the old one is dead."""
    verified = await wire.authenticate(request)
    broker = wire.broker_of(request)

    def work(transaction: Transaction) -> tuple[Ticket, str]:
        if id.startswith(bundles.ID):
            bundle = own_bundle(transaction.connection, verified.requester, id)
            parts = bundles.parts_of(transaction.connection, id)
            return bundles.renew(transaction, bundle), status_of(parts, transaction.time / 1_000_000)
        asked = _own(transaction.connection, verified.requester, id)
        return requests.renew(transaction, asked), asked.status

    recorded = await broker.storage.record(work)
    return wire.reply(_ticket_members(broker, *recorded.value))


@router.post("/{id}/cancel")
async def cancel(request: Request, id: str) -> Response:  # noqa: A002 - the protocol's name
    """Take the request back before it is answered."""
    verified = await wire.authenticate(request)
    broker = wire.broker_of(request)

    def work(transaction: Transaction) -> None:
        if id.startswith(bundles.ID):
            cancel_bundle(transaction, verified.requester, id)
        else:
            requests.cancel(transaction, _own(transaction.connection, verified.requester, id))

    await broker.storage.record(work)
    return wire.reply({"id": id, "status": asking.CANCELLED})


def _file(
    transaction: Transaction, broker: Broker, verified: VerifiedRequest[FilingBody]
) -> Ticket | FiledBundle | Refusal:
    if not spend_jti(transaction, verified):
        return Refusal(Code.REPLAYED, TokenRole.REQUEST)
    requester = requesters.may_call(transaction.connection, verified.requester, verified.kid)
    if isinstance(requester, Refusal):
        return requester
    try:
        if verified.body.bundle is not None:
            return ask_bundle(transaction, broker, verified, requester)
        return ask(transaction, broker, verified, requester, PartOf())
    except Refused as refused:
        return refused.refusal


def _own(connection: Connection, requester: str, request: str) -> AuthorizationRequest:
    asked = asking.find(connection, request)
    if asked is None or asked.requester != requester:
        raise Refused(Code.NOT_FOUND)  # another's request looks like none at all
    return asked


def _read(connection: Connection, broker: Broker, requester: str, request: str) -> dict[str, Any]:
    if request.startswith(bundles.ID):
        return bundle_members(connection, broker, own_bundle(connection, requester, request))
    asked = _own(connection, requester, request)
    members: dict[str, Any] = {"id": asked.id, "status": asked.state(broker.now())}
    if asked.consent is not None:
        members |= _granted(connection, asked)
    return members


def _granted(connection: Connection, asked: AuthorizationRequest) -> dict[str, Any]:
    granted = grants.find_granted(connection, *(asked.consent or ("", "")))
    device = subjects.find_device(connection, granted.iss) if granted is not None else None
    if granted is None or device is None:
        raise Refused(Code.NOT_FOUND)
    agreed = [detail.item for detail in read_claims(grants.payload_of(granted.token)).authorization_details]
    return {
        "consent": granted.token,
        "jwk": json.loads(device.jwk),
        "granted": agreed,
        "declined": [item.item for item in asked.items if item.item not in agreed],
    }


def _ticket_members(broker: Broker, ticket: Ticket, status: str) -> dict[str, Any]:
    return {
        "id": ticket.request,
        "status": status,
        "consent_url": f"{broker.settings.citizens}/a/{ticket.secret}",
        "user_code": ticket.user_code,
        "expires_at": rfc3339(ticket.expires),
    }
