"""A case in the middle of its life: a granted consent, a composition waiting to be signed, a device being enrolled."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone
from broker.signing import SigningKey
from consent.keys import strict_base64url
from tests.forging import claims_for
from tests.world import MATTER, SteppedKey, World

OTHER_MATTER = "rental_withdrawal"
CASE = "YZ-2026-000123"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a token can be sent to. No refusal changes it."""

    world: World
    centre: RequesterClient
    phone: Phone
    consent: str
    """Granted, and none of its uses spent."""
    request: str
    """The id of an opened, composed and unanswered authorization request."""
    ticket: str
    composed: Mapping[str, Any]
    """The claims that wait for a signature."""
    new_key: SigningKey
    nonce: str

    @property
    def now(self) -> int:
        """Seconds since 1970 by the broker's clock."""
        return int(self.world.broker.now())

    def claims(self, iss: str = "", **changed: Any) -> dict[str, Any]:
        """A requester's own claims, with members added, changed, or left out (`...`)."""
        return claims_for(iss or self.centre.requester, self.world.issuer, self.now, **changed)

    def body(self, **changed: Any) -> dict[str, Any]:
        """The members of an exchange request for the granted consent."""
        return exchange_members(self.consent) | changed


def exchange_members(*consents: str) -> dict[str, Any]:
    """The members of an exchange request under an id of its own."""
    return {
        "exchange": f"pull-{next(_numbers):08d}",
        "consents": list(consents),
        "matter": MATTER,
        "case": CASE,
        "operator": {"id": "clerk-07", "desk": "3号窗口"},
    }


async def new_centre(world: World, *, alg: str = "ES256", matters: tuple[str, ...] = (MATTER,)) -> RequesterClient:
    """A fund centre nobody has met."""
    return await world.centre(f"hpf-{next(_numbers)}", alg=alg, matters=matters)


async def prepare(world: World, *, alg: str = "ES256") -> Scene:
    """A new centre and a new phone, up to the middle of their case."""
    centre, phone = await new_centre(world, alg=alg), await world.phone(alg=alg)
    consent = await world.grant(centre, phone)
    request, ticket = await world.ask(centre)
    assert (await phone.open(ticket)).status == 200
    composed = await phone.compose(ticket, ["real_estate_registration", "hpf_remote_account"])
    nonce = (await phone.get("/v1/me/devices/nonce")).members["nonce"]
    return Scene(
        world=world,
        centre=centre,
        phone=phone,
        consent=consent,
        request=request,
        ticket=ticket,
        composed=payload_of(composed.members["signing_input"]),
        new_key=SteppedKey.at(world.clock, alg),
        nonce=nonce,
    )


def payload_of(token: str) -> dict[str, Any]:
    """The claims of a token or of a signing input."""
    payload: dict[str, Any] = json.loads(strict_base64url(token.split(".")[1]))
    return payload


def problem(reply: Reply) -> tuple[int, str, str]:
    """A refusal as tests compare it: status, code and the token at fault."""
    return reply.status, reply.code, str(reply.members.get("token", ""))
