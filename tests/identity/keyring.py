"""A person with a telephone and passkeys, as the API sees her."""

from typing import Any

from broker.client import Reply
from broker.demo.phone import Phone, open_phone
from connectors.departments.people import made_up
from policies.vocabulary import Person
from tests.identity.authenticator import Authenticator
from tests.world import SteppedKey, World, letters

OPTIONS = "/v1/me/passkeys/options"
SIGN_IN = "/v1/session/passkey"
STEP_UP = "/v1/session/passkey/step-up"

_births = iter(range(10_000))


def somebody() -> Person:
    """A person of her own for each test, so that no test finds another's devices."""
    number = next(_births)
    return made_up(
        "邹小满", f"19{60 + number // 300:02d}{1 + number % 12:02d}{1 + number % 28:02d}", 500 + number % 400
    )


def phone_of(world: World, person: Person) -> Phone:
    """A telephone that is not signed in; its cookies are its own."""
    phone = open_phone(world.issuer, person, SteppedKey.at(world.clock, "ES256"))
    world.phones.append(phone)
    return phone


async def register(phone: Phone, authenticator: Authenticator, **client_data: Any) -> Reply:
    options = await phone.post(OPTIONS)
    assert options.status == 200, options.members
    credential = authenticator.make(options.members, **client_data)
    return await phone.post("/v1/me/passkeys", {"credential": credential, "label": "我的手机"})


async def with_passkey(world: World, person: Person | None = None) -> tuple[Phone, Authenticator]:
    """Signed in high, with a passkey and no device yet."""
    phone, authenticator = phone_of(world, person or somebody()), Authenticator(world.issuer)
    assert (await phone.sign_in("high")).status == 204
    assert (await register(phone, authenticator)).status == 201
    return phone, authenticator


async def prove(phone: Phone, authenticator: Authenticator, address: str = SIGN_IN, **bent: Any) -> Reply:
    """Sign in or step up with a passkey; `bent` is what is wrong with the client data, or `rp_id`."""
    options = await phone.post(f"{address}/options")
    assert options.status == 200, options.members
    return await phone.post(address, {"credential": authenticator.answer(options.members, **bent)})


def newest(world: World, event: str) -> dict[str, Any]:
    """The last entry of this kind."""
    found: dict[str, Any] = [entry["body"] for entry in world.entries() if entry["event"] == event][-1]
    return found


async def ticket_for(world: World, person: Person) -> str:
    """A request to this person."""
    centre = await world.centre(f"hpf-{letters()[:12]}")
    _, ticket = await world.ask(centre, person, case=f"YZ-{letters()[:12]}")
    return ticket
