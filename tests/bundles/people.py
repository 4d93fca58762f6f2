"""Who takes part: the fund centre where it begins, the departments that receive, and what they are asked for."""

from dataclasses import dataclass
from typing import Any

from broker import requesters
from broker.client import Reply, RequesterClient
from broker.demo.phone import ticket_of
from broker.requesters import Requester
from connectors.departments.people import FIRM, UNMARRIED, XU
from policies.vocabulary import Organisation, Person
from tests.world import OPERATOR, SteppedKey, World, letters

RETIREMENT = "bundle_retirement"
OPENING = "bundle_enterprise_opening"
CASE = "YZ-2026-000777"


@dataclass(frozen=True, slots=True)
class Recipients:
    """The fund centre, and each department that receives a part itself."""

    fund: RequesterClient
    human_resources: RequesterClient
    medical: RequesterClient


async def department(world: World, name: str, department_id: str, *matters: str) -> RequesterClient:
    """Register a department as a requester of its own."""
    key = SteppedKey.at(world.clock, "ES256")
    entry = Requester(
        name, f"{name} 局", f"{name} bureau", frozenset(matters), suspended=False, department=department_id
    )

    def work(transaction: Any) -> None:
        requesters.register(transaction, entry)
        requesters.add_key(transaction, name, key.public)

    await world.broker.storage.record(work)
    return RequesterClient(world.http, world.issuer, name, key)


async def recipients(world: World) -> Recipients:
    """All of a retirement; nobody else."""
    fund = await world.centre(matters=("retirement_withdrawal", "unit_registration"))
    human = await department(world, "yz-hr", "human_resources", "pension_claim", "social_insurance_unit")
    medical = await department(world, "yz-ybj", "medical_insurance", "medical_retirement")
    return Recipients(fund, human, medical)


def about(person: Person) -> dict[str, str]:
    return {"name": person.name, "id_number": person.id_number}


def about_firm(firm: Organisation = FIRM, handler: Person = UNMARRIED) -> dict[str, Any]:
    return {"kind": "organisation", "name": firm.name, "uscc": firm.uscc, "handler": about(handler)}


async def ask(centre: RequesterClient, bundle: str = RETIREMENT, person: Person = XU, **members: Any) -> Reply:
    """File a bundle; the reply as it came."""
    filing = {"bundle": bundle, "case": CASE, "operator": OPERATOR, "subject": about(person)} | members
    return await centre.file(**filing)


def link(reply: Reply) -> str:
    """The ticket behind which a bundle stands."""
    assert reply.status == 201, reply.members
    return ticket_of(reply.members["consent_url"])


async def pull(world: World, centre: RequesterClient, matter: str, *consents: str, **members: Any) -> Reply:
    return await world.pull(centre, *consents, matter=matter, case=CASE, exchange=f"x-{letters()}", **members)
