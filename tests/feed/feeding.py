"""What the tests of the feed share: a consent's id, and a page of events that has been checked against the log."""

import base64
import json
from typing import Any

from audit import verify
from broker.client import RequesterClient
from consent.keys import strict_base64url
from tests.world import World


def jti_of(consent: str) -> str:
    """The id of a consent token."""
    return str(json.loads(strict_base64url(consent.split(".")[1]))["jti"])


def request_of(consent: str) -> str:
    """The authorization request that a consent token answers."""
    return str(json.loads(strict_base64url(consent.split(".")[1]))["req"])


async def events_of(world: World, centre: RequesterClient, **asked: int) -> tuple[list[dict[str, Any]], int]:
    """A page and its cursor. Each event's receipt is verified, tells the same as the event, and is this centre's."""
    reply = await centre.events(**asked)
    assert reply.status == 200, reply.members
    assert reply.headers["Cache-Control"] == "no-store"
    told: list[dict[str, Any]] = reply.members["events"]
    for event in told:
        verified = verify.verify_receipt(event["receipt"], world.vkey, None)
        world.receipts.append(event["receipt"])
        entry = json.loads(base64.b64decode(event["receipt"]["entry"]))
        assert (verified.entry.index, entry["time"], entry["event"]) == (event["index"], event["time"], event["event"])
        body = entry["body"]
        assert body["requester"] == centre.requester
        assert (body["matter"], body["case"]) == (event["matter"], event["case"])
        assert body.get("consent", {}).get("jti") == event["consent"]
        assert body.get("request", event["request"]) == event["request"]
    indexes = [event["index"] for event in told]
    assert indexes == sorted(set(indexes))
    return told, reply.members["cursor"]


def names(told: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in told]
