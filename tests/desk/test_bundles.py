"""One thing in a life at the counter: one code, a part for each recipient, and the desk gets its own part only."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.departments.city import City
from connectors.departments.fleet import Fleet
from connectors.departments.people import XU
from tests.bundles.people import department
from tests.desk.counters import found, in_a_thread
from tests.desk.forms import Clerk
from tests.world import open_world

pytestmark = pytest.mark.asyncio(loop_scope="package")

MATTER = "retirement_withdrawal"


@pytest.fixture
def city(tmp_path: Path, fleet: Fleet) -> Iterator[City]:
    with City.start(tmp_path / "city", fleet) as running:
        yield running


async def test_a_bundle_is_asked_with_one_code_and_pulled_in_its_own_part(
    tmp_path: Path, fleet: Fleet, city: City
) -> None:
    async with open_world(tmp_path, fleet, change=lambda settings: replace(settings, routes=city.routes_file)) as world:
        counter = await found(world, tmp_path / "desk", "yz-hpf", matters=(MATTER,))
        await department(world, "yz-hr", "human_resources", "pension_claim")
        async with in_a_thread(counter):
            clerk, phone = Clerk(world.http, counter), await world.phone(XU)
            await clerk.sign_in()
            assert "一件事" in (await clerk.get("/new")).text
            case = await clerk.start(XU, "bundle_retirement")
            assert (await clerk.send(f"/cases/{case}/ask")).status == 303
            told = await clerk.json(f"/cases/{case}")
            assert told["request"]["status"] == "pending"
            assert {part["requester"] for part in told["parts"]} == {"yz-hpf", "yz-hr"}
            waiting = (await phone.get("/v1/me/requests")).members["waiting"]
            for part in waiting:
                offer = (await phone.open(part["id"])).members
                reply = await phone.agree(part["id"], [line["item"] for line in offer["items"]])
                assert reply.status == 201, reply.members
            told = await clerk.json(f"/cases/{case}")
            assert told["case"]["stage"] == "agreed"
            assert {part["requester"]: bool(part["granted"]) for part in told["parts"]} == {
                "yz-hpf": True,
                "yz-hr": False,
            }
            assert (await clerk.send(f"/cases/{case}/pull")).status == 303
            told = await clerk.json(f"/cases/{case}")
            assert told["cards"]
            released = [one["body"] for one in world.entries() if one["event"] == "exchange.released"]
            assert [(one["requester"], one["case"], one["matter"]) for one in released] == [("yz-hpf", case, MATTER)]
