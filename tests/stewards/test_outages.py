"""An outage that a steward tells beforehand: closed then and nobody is asked, open again after; said to people."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from broker.moments import BEIJING
from connectors.departments.fleet import Fleet
from tests.stewards.conftest import ITEM, Town

pytestmark = pytest.mark.asyncio(loop_scope="package")

WORDS = "系统升级，周末不答"


def written(town: Town, hours: float) -> str:
    now = datetime.fromtimestamp(town.world.clock() / 1_000_000, BEIJING)
    return (now + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M")


async def announced(town: Town) -> list[dict[str, str]]:
    told = await town.tax.json(f"/steward/items/{ITEM}")
    found: list[dict[str, str]] = told["one"]["outages"]
    return found


async def tell(town: Town, begins: float, ends: float, **changed: str) -> int:
    fields = {"from": written(town, begins).replace(" ", "T"), "to": written(town, ends), "words": WORDS} | changed
    return (await town.tax.post(f"/steward/items/{ITEM}/outages", fields)).status


@pytest_asyncio.fixture(autouse=True, loop_scope="package")
async def none_left(town: Town) -> AsyncIterator[None]:
    yield
    for one in await announced(town):
        seen = await town.tax.post(f"/steward/items/{ITEM}/outages/{one['number']}/cancel")
        assert seen.status == 303


async def test_asked_during_it_the_department_is_closed_and_is_not_asked(town: Town, fleet: Fleet) -> None:
    consent = await town.consent()
    assert await tell(town, -1, 2) == 303
    before = fleet.calls("tax")["count"]
    reply = await town.pull(consent)
    assert {one["item"]: one["outcome"] for one in reply.members["results"]}[ITEM] == "closed_hours"
    assert fleet.calls("tax")["count"] == before
    (one,) = await announced(town)
    ready = await town.tax.json("/readyz")
    (route,) = [route for route in ready["departments"]["taxation"] if route["item"] == ITEM]
    assert (route["state"], route["answers_at"]) == ("closed", one["to"]), "when it opens"
    assert ready["outages"] == [one]
    guide = (await town.tax.get("/guide/purchase_withdrawal")).text
    assert WORDS in guide
    assert (await town.tax.post(f"/steward/items/{ITEM}/outages/{one['number']}/cancel")).status == 303
    assert {one["item"]: one["outcome"] for one in (await town.pull(consent)).members["results"]}[ITEM] == "found"
    assert WORDS not in (await town.tax.get("/guide/purchase_withdrawal")).text
    events = [town.logged(f"outage.{event}")[-1] for event in ("announced", "cancelled")]
    assert {(event["number"], event["by"], event["department"]) for event in events} == {
        (one["number"], "d-001", "taxation")
    }


async def test_one_to_come_is_told_and_stops_nothing_yet(town: Town) -> None:
    assert await tell(town, 24, 26) == 303
    assert WORDS in (await town.tax.get("/guide/purchase_withdrawal")).text
    reply = await town.pull(await town.consent())
    assert {one["item"]: one["outcome"] for one in reply.members["results"]}[ITEM] == "found"


async def test_what_is_none_is_refused(town: Town) -> None:
    assert await tell(town, 2, 1) == 422
    assert await tell(town, -3, -1) == 422
    assert await tell(town, 1, 2, words="") == 422
    assert await tell(town, 1, 2, words=f"问 {town.phone.person.id_number}") == 422
    assert await tell(town, 1, 2, **{"from": "2026-02-30 10:00"}) == 422
    assert await tell(town, 1, 2, to="soon") == 422
    assert await announced(town) == []


async def test_only_her_own_department_takes_it_back(town: Town) -> None:
    assert await tell(town, 24, 26) == 303
    (one,) = await announced(town)
    assert (await town.civil.post(f"/steward/items/{ITEM}/outages/{one['number']}/cancel")).status == 403
    other = "marriage_check_single"
    assert (await town.civil.post(f"/steward/items/{other}/outages/{one['number']}/cancel")).status == 404


async def test_a_whole_stop_stands_in_the_guide(town: Town) -> None:
    words = "这一项暂时停了"
    assert await town.stop() == 303
    try:
        assert words in (await town.tax.get("/guide/purchase_withdrawal")).text
    finally:
        assert await town.start() == 303
    assert await town.stop(requester="yz-hpf") == 303
    try:
        assert words not in (await town.tax.get("/guide/purchase_withdrawal")).text, "between two offices"
    finally:
        assert await town.start(requester="yz-hpf") == 303
