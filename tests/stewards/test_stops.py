"""A steward's stop: of an item, or of it for one requester; her own side only; said plainly to all whom it concerns."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from broker.cli import app
from broker.founding import CONFIGURATION
from broker.stops import Side, start_releases, stop_releases
from connectors.departments.fleet import Fleet
from tests.stewards.conftest import ITEM, Town
from tests.world import ITEMS

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(autouse=True, loop_scope="package")
async def started(town: Town, fleet: Fleet) -> AsyncIterator[None]:
    yield
    fleet.set_fault("property_registry", "none")
    for requester in ("", "yz-hpf"):
        await town.start(requester=requester)


def command(town: Town, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(town.world.folder / "broker" / CONFIGURATION)])


async def test_a_stop_for_one_requester_leaves_the_others_alone(town: Town) -> None:
    mine, theirs = await town.consent(), await town.world.grant(town.other, town.phone, items=ITEMS)
    assert await town.stop(requester="yz-hpf", reason="超出约定的用途") == 303
    refused = await town.pull(mine)
    assert (refused.status, refused.code) == (503, "releases_stopped")
    assert town.logged("exchange.refused")[-1]["stopped"] == [f"{ITEM}:stopped_by_department_for_requester"]
    assert f"{ITEM}：管这项数据的部门暂停了向这家机构提供。" in refused.members["detail"]
    assert refused.members["stopped"] == [{"item": ITEM, "why": "stopped_by_department_for_requester"}]
    assert (await town.world.pull(town.other, theirs)).status == 200
    rest = [{"party": "applicant", "item": "marriage_check_single"}]
    assert (await town.pull(mine, items=rest)).status == 200, "what is not stopped is given"
    stopped = town.logged("releases.stopped")[-1]
    names = ("item", "requester", "department", "by", "reason")
    assert [stopped[name] for name in names] == [ITEM, "yz-hpf", "taxation", "d-001", "超出约定的用途"]
    assert await town.start(requester="yz-hpf") == 303
    assert town.logged("releases.started")[-1]["by"] == "d-001"
    assert (await town.pull(mine)).status == 200


async def test_every_stopped_item_is_named_at_once(town: Town) -> None:
    consent = await town.consent()
    assert await town.stop() == 303
    await town.world.broker.storage.record(lambda t: stop_releases(t, "marriage_check_single", "a test"))
    refused = await town.pull(consent)
    await town.world.broker.storage.record(lambda t: start_releases(t, "marriage_check_single"))
    assert sorted(town.logged("exchange.refused")[-1]["stopped"]) == [
        f"{ITEM}:stopped_by_department",
        "marriage_check_single:stopped_by_operator",
    ]
    assert f"{ITEM}：管这项数据的部门暂停了提供。" in refused.members["detail"]
    assert "marriage_check_single：便利桥暂停了提供。" in refused.members["detail"]


async def test_an_item_stopped_while_it_is_asked_is_withheld_and_the_person_reads_why(town: Town, fleet: Fleet) -> None:
    consent = await town.consent()
    fleet.set_fault("property_registry", "slow", 0.8)
    running = asyncio.create_task(town.pull(consent))
    await admitted(town)
    assert await town.stop() == 303
    reply = await running
    assert reply.status == 200
    outcomes = {result["item"]: result["outcome"] for result in reply.members["results"]}
    assert outcomes[ITEM] == "withheld"
    assert outcomes["real_estate_registration"] == "found"
    withheld = [one for one in town.logged("exchange.released")[-1]["results"] if one["item"] == ITEM]
    assert withheld[0]["withheld_because"] == "stopped_by_department"
    assert "没有给出：管这项数据的部门暂停了提供" in await page(town, "/me/accesses")


async def test_a_call_stopped_as_a_whole_is_withheld_and_the_person_reads_why(town: Town, fleet: Fleet) -> None:
    consent = await town.consent()
    fleet.set_fault("property_registry", "slow", 0.8)
    only = [{"party": "applicant", "item": "real_estate_registration"}]
    running = asyncio.create_task(town.pull(consent, items=only))
    await admitted(town)
    registry = Side("natural_resources", "d-009")
    storage = town.world.broker.storage
    await storage.record(lambda t: stop_releases(t, "real_estate_registration", "a test", side=registry))
    assert (await running).code == "releases_stopped"
    await storage.record(lambda t: start_releases(t, "real_estate_registration", side=registry))
    assert town.logged("exchange.withheld")[-1]["stopped"] == ["real_estate_registration:stopped_by_department"]
    assert "数据没有给出：管这项数据的部门暂停了提供" in await page(town, "/me/accesses")


async def test_neither_side_lifts_the_others_stop(town: Town) -> None:
    assert command(town, "releases", "stop", "--item", ITEM, "--reason", "a test").exit_code == 0
    assert await town.start() == 403, "an operator's stop stays"
    assert await town.stop() == 303, "a second hand on the switch"
    assert command(town, "releases", "start", "--item", ITEM).exit_code == 0
    listed = command(town, "releases", "list", "--json")
    assert '"side": "taxation d-001"' in listed.stdout
    assert (await town.pull(await town.consent())).code == "releases_stopped"
    assert command(town, "releases", "start", "--item", ITEM).exit_code != 0, "the department's stays"
    assert await town.start() == 303
    assert await town.start() == 404


async def test_the_command_line_stops_for_one_requester(town: Town) -> None:
    for_one = ("--item", ITEM, "--requester", "yz-hpf")
    assert command(town, "releases", "stop", *for_one, "--reason", "a test").exit_code == 0
    refused = await town.pull(await town.consent())
    assert f"{ITEM}：便利桥暂停了向这家机构提供。" in refused.members["detail"]
    assert command(town, "releases", "start", *for_one).exit_code == 0
    assert command(town, "releases", "stop", "--requester", "yz-hpf", "--reason", "x").exit_code == 2
    assert command(town, "releases", "stop", "--item", ITEM, "--requester", "nobody", "--reason", "x").exit_code == 3


async def test_another_departments_steward_sees_and_stops_nothing_of_mine(town: Town) -> None:
    refused = len(town.logged("staff.refused"))
    for path in (f"/steward/items/{ITEM}", f"/steward/uses/calls?item={ITEM}"):
        assert (await town.civil.get(path, Accept="text/html")).status == 403
    for step in ("stop", "start", "outages"):
        fields = {"reason": "x", "from": "2099-01-01 00:00", "to": "2099-01-02 00:00", "words": "x"}
        assert (await town.civil.post(f"/steward/items/{ITEM}/{step}", fields)).status == 403
    told = town.logged("staff.refused")[refused:]
    assert len(told) == 5
    assert {one["number"] for one in told} == {"d-002"}
    assert {one["address"] for one in told} >= {"/steward/items/{item}", "/steward/items/{item}/stop"}
    hers = await town.civil.json("/steward/items")
    assert ITEM not in {one["item"] for one in hers["items"]}
    assert (await town.pull(await town.consent())).status == 200


async def test_a_reason_is_needed_and_names_nobody(town: Town) -> None:
    for reason in ("", " ", "x" * 201, f"查 {town.phone.person.id_number} 的人"):
        assert await town.stop(reason=reason) == 422, reason
    assert await town.stop(requester="nobody") == 422
    assert (await town.tax.post("/steward/items/no_such/stop", {"reason": "x"})).status == 404


async def admitted(town: Town) -> None:
    before = len(town.logged("exchange.admitted"))
    while len(town.logged("exchange.admitted")) == before:  # noqa: ASYNC110 - another thread's doing
        await asyncio.sleep(0.02)


async def page(town: Town, path: str) -> str:
    async with town.phone.http.get(f"{town.world.issuer}{path}") as response:
        return await response.text()
