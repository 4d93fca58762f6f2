"""What waits for a department, as operators see it: how many, and how long the oldest; never for whom."""

import json
import re

import pytest

from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import XU
from tests.late.world import BY_HAND, PUSHED, Hand, arrived, left_pending, waiting_rows
from tests.staff.desk import Desk, operator
from tests.world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgresql_url")) if request.param == "postgresql" else "broker.db"


@pytest.fixture
async def desk(world: World) -> Desk:
    return await operator(world)


async def text(desk: Desk, path: str) -> str:
    await desk.post("/staff/session/test", {"number": desk.number})  # hours may have passed
    seen = await desk.get(path, Accept="text/html")
    assert seen.status == 200
    return seen.text


async def test_what_waits_is_counted_and_its_age_told_until_it_is_answered(world: World, desk: Desk) -> None:
    _, _, _, exchange = await left_pending(world, BY_HAND)
    world.clock.advance(2 * 3600 + 5 * 60)
    page = await text(desk, "/operate/departments")
    assert re.search(r"1\s+件\s*，最久等了 2 小时 5 分", page)
    assert re.search(r"1\s+, the oldest for 2 h 5 min", await text(desk, "/operate/departments?lang=en"))
    metrics = await text(desk, "/metrics")
    labels = 'department="taxation",route="tax-manual"'
    assert f"broker_department_waiting{{{labels}}} 1.0" in metrics
    (age,) = re.findall(rf"broker_department_waiting_seconds{{{labels}}} (\S+)", metrics)
    assert 7500 <= float(age) < 7560
    (row,) = waiting_rows(world)
    for shown in (page, metrics, await text(desk, "/operate/departments?form=json")):
        for word in (exchange, row.question, row.id, row.call, XU.id_number, "YZ-2026-000123", "yz-hpf"):
            assert word not in shown
    hand = Hand(world)
    await hand.enter()
    assert await hand.answer(row.question) == 303
    await arrived(world, exchange)
    assert f"broker_department_waiting{{{labels}}} 0.0" in await text(desk, "/metrics")
    assert "最久等了" not in await text(desk, "/operate/departments")


async def test_what_waits_on_a_route_that_is_configured_no_more_is_not_forgotten(
    world: World, desk: Desk, late: LateFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    late.set_fault("pushing_office", "none", 600)
    await left_pending(world, PUSHED)
    world.clock.advance(3600)
    assert "pushing-office" not in (await text(desk, "/operate/departments")).partition('id="removed"')[2]
    kept = [route for route in world.broker.directory.health() if route.route != "pushing-office"]
    monkeypatch.setattr(world.broker.directory, "health", lambda: kept)
    page = (await text(desk, "/operate/departments")).partition('id="removed"')[2]
    assert re.search(r"<code>pushing-office</code>:\s+1\s+件\s*，最久等了 1 小时", page)
    (one,) = json.loads(await text(desk, "/operate/departments?form=json"))["removed"]
    assert (one["department"], one["route"], one["waiting"]["count"]) == ("hpf_center_remote", "pushing-office", 1)
